"""What kills, full disks, Ctrl-C, threads and garbage may do: `docs/reliability.md` has the promises."""
