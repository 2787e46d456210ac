"""The worked example: news items, loaded, read and summarised. Needs NumPy only."""

from companion.news.corpus import load_articles
from companion.news.dataset import NewsDataset, load_news
from companion.news.events import event_types, generate_articles
from companion.news.rouge import rouge
from companion.news.summarize import Summary, summarize

__all__ = [
    "NewsDataset",
    "Summary",
    "event_types",
    "generate_articles",
    "load_articles",
    "load_news",
    "rouge",
    "summarize",
]
