"""Strings, which are known whenever a graph is built, and what is counted of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np

from shared import ops
from shared.errors import OnnxError
from shared.onnx.table import onnx_op
from shared.onnx.values import STRINGS


def _strings(parts: Any, shape: Any) -> Any:
    return np.array(list(parts), STRINGS).reshape(shape)


@onnx_op("StringConcat", known=("a", "b"))
def string_concat(a: Any, b: Any) -> Any:
    """One behind the other."""
    a, b = np.broadcast_arrays(a, b)
    return _strings((x + y for x, y in zip(a.ravel(), b.ravel(), strict=True)), a.shape)


@onnx_op("StringSplit", known=("x",))
def string_split(x: Any, *, delimiter: str = "", maxsplit: int | None = None) -> Any:
    """In parts, filled up with empty strings; and how many there were."""
    most = -1 if maxsplit is None else maxsplit
    rows = [text.split(delimiter or None, most) for text in x.ravel()]
    width = max(map(len, rows), default=0)
    made = [part for row in rows for part in (*row, *[""] * (width - len(row)))]
    return _strings(made, (*x.shape, width)), np.array([len(row) for row in rows], np.int64).reshape(x.shape)


@onnx_op("RegexFullMatch", known=("x",))
def regex_full_match(x: Any, *, pattern: str) -> Any:
    """Whether a pattern fits the whole string. (Python's patterns: they are much as RE2's.)"""
    try:
        found = re.compile(pattern)
    except re.error as error:
        raise OnnxError(f"RegexFullMatch: the pattern {pattern!r} is none: {error}") from None
    return np.array([found.fullmatch(text) is not None for text in x.ravel()], bool).reshape(x.shape)


@onnx_op("StringNormalizer", known=("x",))
def string_normalizer(
    x: Any, *, case_change_action: str = "NONE", is_case_sensitive: int = 0, locale: str = "",
    stopwords: Any = (),
) -> Any:  # fmt: skip
    """Without stop words, in one case. What is left of none is one empty string."""
    changes: dict[str, Callable[[str], str]] = {"LOWER": str.lower, "UPPER": str.upper, "NONE": str}
    change = changes.get(case_change_action)
    if change is None:
        raise OnnxError(f"StringNormalizer: there is no case_change_action {case_change_action!r}")
    same: Callable[[str], str] = str if is_case_sensitive else str.lower
    stops = {same(word) for word in stopwords}
    kept = [change(_plain(text)) for text in x.ravel() if same(_plain(text)) not in stops]
    if not kept:
        return _strings([""], (1,) * x.ndim)
    return _strings(kept, (1, -1) if x.ndim == 2 else (-1,))


def _plain(text: str) -> str:
    """Without accents."""
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@onnx_op("TfIdfVectorizer", since=9)
def tf_idf_vectorizer(
    x: Any, *, max_gram_length: int, max_skip_count: int, min_gram_length: int, mode: str, ngram_counts: Any,
    ngram_indexes: Any, pool_int64s: Any = None, pool_strings: Any = None, weights: Any = None,
) -> Any:  # fmt: skip
    """How often each of some n-grams stands in a row, elements between skipped: counted (TF), whether at all
    (IDF), times weights (IDF, TFIDF)."""
    pool = pool_int64s if pool_strings is None else pool_strings
    rows = x if len(x.shape) == 2 else ops.expand_dims(x, 0) if x.dtype != STRINGS else x[None]
    if rows.dtype == STRINGS:
        numbers = {word: number for number, word in enumerate(dict.fromkeys(pool))}
        rows = np.array([numbers.get(word, -1) for word in rows.ravel()], np.int64).reshape(rows.shape)
        pool = [numbers[word] for word in pool]
    size, number, counts = max(ngram_indexes) + 1, 0, None
    ends = [*ngram_counts[1:], len(pool)]
    for length, (start, end) in enumerate(zip(ngram_counts, ends, strict=True), 1):
        grams = np.asarray(pool[start:end], np.int64).reshape(-1, length)
        columns = np.zeros((len(grams), size), np.float32)
        columns[np.arange(len(grams)), list(ngram_indexes[number : number + len(grams)])] = 1
        number += len(grams)
        if not min_gram_length <= length <= max_gram_length or not len(grams):
            continue
        for skip in range(1 if length == 1 else max_skip_count + 1):
            span = (length - 1) * (skip + 1)
            last = rows.shape[1] - span
            if isinstance(last, int) and last <= 0:
                continue
            fits: Any = None
            for i in range(length):
                part = ops.expand_dims(ops.narrow(rows, 1, i * (skip + 1), last), 2)
                here = ops.equal(part, grams[:, i].astype(rows.dtype))
                fits = here if fits is None else ops.logical_and(fits, here)
            found = ops.matmul(ops.cast(ops.sum(ops.cast(fits, "int64"), 1), "float32"), columns)
            counts = found if counts is None else counts + found
    if counts is None:
        counts = np.zeros((int(rows.shape[0]), size), np.float32)
    y = counts if mode == "TF" else ops.cast(ops.greater(counts, 0), "float32") if mode == "IDF" else counts
    if mode != "TF" and weights is not None:
        each = np.ones(size, np.float32)
        each[list(ngram_indexes)] = weights
        y = y * each
    return y if len(x.shape) == 2 else ops.squeeze(y, 0)
