"""News from files and known datasets: the same records, and errors that name file and line."""

import json

import pytest

from companion.news import NewsDataset, load_articles
from companion.news.records import from_columns, load_records


def test_jsonl_gives_back_what_was_written(tmp_path) -> None:
    items = load_articles("en", "test")[:3]
    path = tmp_path / "news.jsonl"
    path.write_text("\n".join(json.dumps(i, ensure_ascii=False) for i in items) + "\n\n", "utf-8")
    for got, wanted in zip(load_records(path), items, strict=True):
        assert got == {k: v for k, v in wanted.items() if k in got}
        assert {"content", "summary", "title", "carries", "rubric", "importance"} <= set(got)
    assert len(NewsDataset(load_records(path))) == 3


def test_csv_holds_numbers_lists_and_line_breaks(tmp_path) -> None:
    path = tmp_path / "news.csv"
    path.write_text(
        "title,content,summary,importance,carries,reach,severity,novelty,urgency\r\n"
        '标题,"第一句，有逗号。\n第二句“引号”。",摘要,3,"[0, 1]",1,0,1,0\r\n',
        "utf-8-sig",
    )
    (got,) = load_records(path)
    assert got["content"] == "第一句，有逗号。\n第二句“引号”。"
    assert got["importance"] == 3
    assert got["carries"] == [0, 1]
    assert got["rubric"] == {"reach": 1, "severity": 0, "novelty": 1, "urgency": 0}


@pytest.mark.parametrize(
    ("layout", "row", "content", "summary"),
    [
        (
            "cnn_dailymail",
            {"article": "A. B.", "highlights": "One .\nTwo .", "id": "x"},
            "A. B.",
            "One . Two .",
        ),
        ("xsum", {"document": "A. B.", "summary": "One.", "id": "7"}, "A. B.", "One."),
        ("lcsts", {"text": "甲。乙。", "summary": "甲"}, "甲。乙。", "甲"),
    ],
)
def test_the_layouts_of_known_datasets(layout, row, content, summary) -> None:
    (got,) = from_columns([row], layout)
    assert (got["content"], got["summary"]) == (content, summary)
    assert got.get("id") == row.get("id")


def test_a_hugging_face_dataset_where_the_library_is_there() -> None:
    datasets = pytest.importorskip("datasets", reason="the library datasets is not installed")
    rows = datasets.Dataset.from_list([{"document": "A. B.", "summary": "One.", "id": "7"}])
    assert from_columns(rows, "xsum") == [{"content": "A. B.", "summary": "One.", "id": "7"}]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", '{"content": "x"}\n[1]', r"a\.jsonl, line 2: expected a JSON object, got list"),
        ("a.jsonl", "{", r"a\.jsonl, line 1: expected a JSON object"),
        ("a.jsonl", '{"title": "x"}', r"line 1: expected the column 'content', got \['title'\]"),
        ("a.jsonl", '{"content": " "}', "line 1: expected text as content, got ' '"),
        ("a.csv", "content,title\nx\n", r"a\.csv, line 2: expected 2 columns, got others"),
        ("a.csv", "content,importance\nx,much\n", "line 2: expected a number or a JSON list"),
        ("a.txt", "x", r"path: expected a name that ends in \.jsonl or \.csv, got a\.txt"),
    ],
)
def test_bad_files_are_named(tmp_path, name, text, said) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=said):
        load_records(path)


def test_missing_and_not_utf8(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="path: expected a file, got none"):
        load_records(tmp_path / "none.jsonl")
    (tmp_path / "gb.csv").write_bytes("内容".encode("gb18030"))
    with pytest.raises(ValueError, match=r"gb\.csv: expected UTF-8, got byte"):
        load_records(tmp_path / "gb.csv")


def test_unknown_layout() -> None:
    with pytest.raises(ValueError, match="layout: expected one of companion, cnn_dailymail"):
        from_columns([], "reuters")
    with pytest.raises(ValueError, match=r"rows\[1\]: expected the column 'article'"):
        from_columns([{"article": "x"}, {"text": "y"}], "cnn_dailymail")
