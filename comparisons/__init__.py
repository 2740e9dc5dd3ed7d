"""The same models on both engines, what was measured, and the report.

    python -m comparisons run         train everything on both engines, write the report
    python -m comparisons list        what there is to run
    python -m comparisons report      draw the pages again from report.json

The rooms, in the order in which one may import:

    machine, statistics, training    threads and files; numbers compared and said; a task on one engine
    tasks, measuring, lab            what is trained; what it costs; what an experiment is made of
    pitfalls                         what is one thing line by line, and may be another as a graph
    bench, experiments, stepper      races with other systems; one question each; one step, recorded
    report, running                  pages from report.json alone; the run that writes it
    command_line                     what can be asked for
"""
