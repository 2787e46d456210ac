"""The worked example: news items, loaded, read and summarised. Needs NumPy only.

Training a reader needs torch: `companion.news.batches`, `reader`, `fit`.
"""

from companion.news.corpus import load_articles
from companion.news.dataset import NewsDataset, load_news
from companion.news.events import event_types, generate_articles
from companion.news.model import NewsReader, load_reader
from companion.news.read import Reading, generate_summary, read_news
from companion.news.records import from_columns, load_records
from companion.news.rouge import rouge
from companion.news.summarize import Summary, summarize
from companion.news.units import Lexicon, encode_text

__all__ = [
    "Lexicon",
    "NewsDataset",
    "NewsReader",
    "Reading",
    "Summary",
    "encode_text",
    "event_types",
    "from_columns",
    "generate_articles",
    "generate_summary",
    "load_articles",
    "load_news",
    "load_reader",
    "load_records",
    "read_news",
    "rouge",
    "summarize",
]
