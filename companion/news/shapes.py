"""The parameters of the news reader, by name and shape, for both wings.

encoder and decoder     those of the pointer-generator
sentence_proj           does the mean state of this sentence carry the news?
sentence_words          a weight for each word of it, added up: what a bag of words would say
rubric_proj             reach, severity, novelty, urgency: asked of the mean state of the article
"""

from companion.config import TransformerConfig
from companion.news.dataset import RUBRIC
from companion.params import Shapes, pointer_generator_shapes


def reader_shapes(config: TransformerConfig) -> Shapes:
    """Names and shapes: those of `pointer_generator_shapes` and the heads."""
    C, K = config.width, len(RUBRIC)
    heads: Shapes = {
        "sentence_proj.weight": (1, C),
        "sentence_proj.bias": (1,),
        "sentence_words.weight": (config.vocabulary, 1),
        "rubric_proj.weight": (K, C),
        "rubric_proj.bias": (K,),
    }
    return pointer_generator_shapes(config) | heads
