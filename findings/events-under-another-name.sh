#!/bin/sh
# tensorboardX writes "my loss" as "my_loss".
#
# One would guess: a tag is any text, and stands in the file as it was given.
# What happens: blanks become underscores, and two tags one curve.
# Who is hurt: whoever reads the curves back by their names, or compares runs of two writers.
# Bears on: static.summary.scalar, which writes a tag as it is given:
#     tests/static/words/test_events.py::test_a_tag_is_what_was_given.
# Guessed before the run (guesses.md, 49): reflex "my loss", wrong; manual "my loss", wrong; build "my
#     loss", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet tensorboardX==2.6.5 tensorboard==2.21.0
venv/bin/python - <<'END'
import tensorboard
import tensorboardX
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

print("tensorboardX", tensorboardX.__version__, " tensorboard", tensorboard.__version__)
with tensorboardX.SummaryWriter("run") as writer:
    writer.add_scalar("my loss", 1.0, 0)
    writer.add_scalar("my_loss", 2.0, 0)
reader = EventAccumulator("run").Reload()
tags = reader.Tags()["scalars"]
print("tags:", tags, " values:", [event.value for event in reader.Scalars(tags[0])])
still = tags == ["my_loss"] and len(reader.Scalars("my_loss")) == 2

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
