"""What the program does, recorded, so that after a move of its modules it can be shown to do the same.

    python -m tests.behavior.record            writes everything anew from the code as it is (two minutes)
    python -m tests.behavior.record PART …     only these: stored, names, opened, runs, conversation
    python -m pytest tests/behavior            holds the code against what was recorded

What is recorded, in `recorded/`:

`runs.json`
    Short runs of the teacher `digits`: every preset, and variants for the settings that no preset uses, a lab of two
    arms and two seeds, a change halfway, sessions that are stepped and stopped, a checkpoint that goes on, and networks
    of one's own. Of each: SHA-256 of all events without their seconds, with their arrays by bytes; SHA-256 of the
    student's weights; the kinds of its events; and a few rounded numbers.
`conversation.json`, `sentences.json`
    One long visit to the real application over HTTP: every route and every endpoint, the page's own events, what
    strangers and mistaken programs get, two restarts, and a page that strangers share. Ids, tokens, times and running
    numbers have placeholders. Every text with a space in it lies in `sentences.json`, under the place it has in
    `conversation.json`: a new wording changes that file only.
`stored/`, `opened.json`
    Things that people keep, and what comes of them: a recording, a run's folder, a checkpoint, a teacher's folder, and
    a data folder of the page with a finished and an interrupted run. The page opens the data folder, the recording, the
    teacher and a shared address within the conversation.
`names.json`
    Names that lie in files, databases and other people's programs: kinds of events and their fields, settings with
    types and bounds, presets, teachers, keys of checkpoints, the tables of the data folder.

Digests hold bit for bit on one type of machine: the versions of torch and numpy, and the processor, decide how sums
round. Each file names the machine it was recorded on. On another one the tests compare the kinds of events, the rounded
numbers within a tolerance, and the texts without their digits; see `fixtures.differences`.

Record anew where a change is meant, and say in the commit which change that is. Never record `stored` anew because a
test fails that opens it: that failure says that people's files no longer open.

A move of modules touches one file here, `entrances.py`: the rest goes through it, through `python -m nayer`, through
`python app.py` and through HTTP.
"""
