"""The laws and promises of Diptych."""

from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
"""The folder of the checkout."""
