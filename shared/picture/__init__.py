"""Looking inside a program, whichever engine holds it.

An engine describes its program as a `Listing`; from there on everything is the same for both:
the text (`Listing.text`), the networkx graph (`Listing.to_networkx`), the picture (`draw`).
"""

from shared.picture.listing import CONSTANT, INPUT, PARAMETER, VARIABLE, Entry, Listing, Ref
from shared.picture.render import LIMIT, draw

__all__ = ["CONSTANT", "INPUT", "LIMIT", "PARAMETER", "VARIABLE", "Entry", "Listing", "Ref", "draw"]
