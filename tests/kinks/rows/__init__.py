"""All rows of the table of kinks, by subject."""

from tests.kinks.row import Row
from tests.kinks.rows import folding, indexing, losses, matrices, numbers, ordering, piecewise, powers

SUBJECTS: dict[str, tuple[Row, ...]] = {
    "Ties and order": ordering.ROWS,
    "Pieces": piecewise.ROWS,
    "Powers, roots and logarithms": powers.ROWS,
    "Products, statistics, masks": folding.ROWS,
    "Losses, distances, normalisations": losses.ROWS,
    "Places and windows": indexing.ROWS,
    "Matrices": matrices.ROWS,
    "Numbers": numbers.ROWS,
}
ROWS = {row.name: row for rows in SUBJECTS.values() for row in rows}
assert len(ROWS) == sum(map(len, SUBJECTS.values())), "two rows have one name"
