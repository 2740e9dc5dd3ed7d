"""Where to read on: the book that this project follows, and papers on both designs."""

from __future__ import annotations

FURTHER = (
    ("Saito, ゼロから作る Deep Learning ❸ (2020), the book", "https://www.oreilly.co.jp/books/9784873119069/"),
    ("its code, DeZero", "https://github.com/oreilly-japan/deep-learning-from-scratch-3"),
    ("DyNet (Neubig et al. 2017)", "https://arxiv.org/abs/1701.03980"),
    ("TensorFlow (Abadi et al. 2016)", "https://arxiv.org/abs/1605.08695"),
    ("TensorFlow Eager (Agrawal et al. 2019)", "https://arxiv.org/abs/1903.01855"),
    ("JAX (Frostig et al. 2018)", "https://mlsys.org/Conferences/doc/2018/146.pdf"),
    ("PyTorch (Paszke et al. 2019)", "https://arxiv.org/abs/1912.01703"),
    ("Terra (Kim et al. 2021)", "https://arxiv.org/abs/2201.09210"),
)
"""What a page calls it, and its address."""
