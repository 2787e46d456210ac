"""ROUGE for English and Chinese: how many words and word pairs two summaries share."""

from importlib import import_module

from companion.text.sentences import words

KINDS = ("rouge1", "rouge2", "rougeL")


class _Characters:
    """The tokeniser handed to rouge-score: Chinese by character, everything else by word."""

    def tokenize(self, text: str) -> list[str]:
        return words(text, bigrams=False)


def rouge(reference: str, candidate: str) -> dict[str, float]:
    """How much the candidate has in common with the reference, against the length of both.

        F1 = 2 m / (n_reference + n_candidate)       m = units in common, each counted as often
                                                         as it occurs in both

    reference, candidate the summary wanted and the summary got, in one language
    Returns F1 from 0 to 1 for rouge1 (units are words or Chinese characters), rouge2 (pairs of
    neighbours) and rougeL (m = length of the longest common subsequence).

    Needs the package rouge-score (`pip install "neurons-to-transformers[book]"`), whose own
    tokeniser drops every Chinese character and so gives 0. No stemming, no stop words.

    Raises TypeError if an argument is no str, ImportError if rouge-score is not installed.
    Source: Lin 2004, sections 2 and 3. Differs: ROUGE-N there is the recall m / n_reference; F1,
    usual today, also counts against a candidate what it says beyond the reference.
    """
    for name, text in (("reference", reference), ("candidate", candidate)):
        if not isinstance(text, str):
            raise TypeError(f"{name}: expected str, got {type(text).__name__}")
    try:
        scorer = import_module("rouge_score.rouge_scorer")
    except ImportError as error:
        raise ImportError(
            'rouge needs rouge-score: pip install "neurons-to-transformers[book]"'
        ) from error
    scores = scorer.RougeScorer(list(KINDS), tokenizer=_Characters()).score(reference, candidate)
    return {kind: float(scores[kind].fmeasure) for kind in KINDS}
