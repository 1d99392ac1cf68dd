"""Every sentence the page shows, in one place: explanations, empty and error states, and what slow motion says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nayer.events import (
    DiversityMeasured,
    Evaluated,
    EvaluatedAtStart,
    Event,
    GeneratorStep,
    LayerRedrawn,
    PolicyChanged,
    RoundSynthesized,
    RunStarted,
    StudentStep,
)

TITLE = "NAYER, live"
TAGLINE = "A student network learns to recognize things in images, and it never sees a real image."
TO_THE_LESSONS = '<a href="?lesson=1" data-lesson="1">Learn how, in eight short lessons</a>.'
TO_A_CLASS = '<a href="?join=">Join a class</a>'
EMPTY_TITLE = "No images yet"
EMPTY_TEXT = (
    "Press Play. Each round re-draws a noisy layer, and the generator behind it learns to make images that the "
    "teacher recognizes. The student then learns from these images. It never sees a real image. You watch its "
    "accuracy rise."
)
WATCHING = "You are watching someone else's run. Only they can control it."
WATCHED_GONE = "The run of this link has ended and is no longer kept, or it never existed. Ask for a new link."
RECORDED = {
    "greeting": "This is a recording of an earlier run. Press Play to start your own run.",
    "waiting": "This is a recording of an earlier run. Your run is waiting for a free slot.",
    "again": "This is a recording of the run that has ended.",
}
TRY_QUEUED = "Your student has not started yet. Until it starts, the teacher and the untrained student answer."
TRY_STARTING = "The student is loading. Until it is ready, the teacher and the untrained student answer."
TRY_RECORDED = (
    "This recording holds images and curves, but no weights, so its student cannot answer. Press Play to train a "
    "student of your own."
)
TRY_GONE = "The weights of this student are no longer in memory. Press Play to start a new run."
TRY_NO_RUN = "No student is learning yet. Press Play to start a run."
NAMES_INFO = "One name per line, or separated by commas: 2 to 200 names."
PROMPT_INFO = "The sentence for the text encoder. Each name replaces {}."
TABLE_INFO = "Input of the generator: the embeddings of the names, or a control."
ENCODER_INFO = "A Hub id or a local folder."
LOADING_ENCODER = (
    "No shipped table contains all of these texts. The text encoder is loading… The first time takes up to half a "
    "minute. Until then you see the previous answer."
)
LOADING_UMAP = "UMAP is loading, which takes about half a minute; until then the page shows PCA."
FITTING_UMAP = "UMAP is fitting the names…"
SETTINGS_APPLY = (
    "Press Apply settings to use new settings from the next round of a running run. Some settings need a new run."
)
GRACE = "If you close this tab, the run ends after {seconds:.0f} s. If you reload it, you find your run again."

TEACHER = "The trained network that the student imitates."
TEACHER_HERE = TEACHER + " Or type a teacher's folder, or owner/name of an image classifier on the Hub."
OWN_TITLE = "Your own teacher"
BROUGHT = "(uploaded)"  # follows the word "teacher" when other people may see the page
OWN_TEACHER = (
    "Two files in the format that python -m nayer teach --data writes. They are checked in memory, belong to you "
    "alone, and are deleted with your run."
)
OWN_NAMES = "In the order of the outputs, one name per line or separated by commas. Empty: the names in config.json."
OWN_JUDGE = "Optional: both files of the folder `judge` that `teach --judge` wrote. A judge classifies images only."
OWN_TESTS = "Optional: a zip file with one folder per class, or a parquet file. It serves only to measure."
NAMES_KNOWN = "A shipped table contains the embeddings of its class names."
NAMES_READ = "The text encoder on this machine computes the embeddings of its class names."
NAMES_UNKNOWN = (
    "No shipped table contains its class names, and the text encoder is not on this machine. The run will download "
    "it from the Hub. Without a network, choose one-hot rows or random numbers instead."
)

ON_A_SPACE = (
    "This is a Hugging Face Space. It sleeps when nobody uses it and wakes up within a minute. Its disk is then "
    "empty, unless the Space has persistent storage. Save what you want to keep."
)
KEPT_OFF = "This server keeps runs in memory only. They are lost when it ends."
KEPT_UNWRITABLE = "The data folder is not writable. Runs are kept in memory only."
KEPT_ELSEWHERE = "Another process uses the data folder. Runs are kept in memory only."
KEPT_NEWER = "A newer version wrote the history in the data folder. Runs are kept in memory only."
KEPT_ANEW = "The old history was damaged. The server renamed it and started a new one."
KEPT_FULL = "The disk is full. Runs continue, and new results are kept in memory only until there is space."
KEPT_FAILING = (
    "Writing to the data folder fails. Runs continue, and new results are kept in memory only until it works again."
)
KEPT_WITHOUT_FILES = (
    "The disk has no space for large files. Runs are kept, but with an older checkpoint or none until there is space."
)
KEPT_REPLACED = (
    "The data folder, or a part of it, was deleted or replaced while the server ran. Its content is lost. Runs that "
    "continue are stored in it again."
)
GIVES_WAY_STILL = (
    "Others are waiting, and this run is paused or slowed down. It ends in at most {seconds} s, and the next one "
    "starts."
)
GIVES_WAY_TURN = (
    "Others are waiting, and this run has used its time. It ends in at most {seconds} s, and the next one starts."
)
GAVE_WAY_STILL = (
    "The run was paused or slowed down while others waited, so its slot went to the next run. Its results stay on "
    "the page."
)
GAVE_WAY_TURN = (
    "The run used its time while others waited, so its slot went to the next run. Its results stay on the page."
)
GAVE_WAY_QUEUE = (
    "The queue is full, and more runs of your address wait than of any other, so this one left it for somebody else's. "
    "Start it again in a few minutes."
)
NOT_DRAWN = "A part of this run could not be drawn and is left out. The run itself continues."
FAULT = "The server made an error (number {number} in its log). Runs continue. Try again."
RESUMED = "The server was interrupted. This run continues from the end of round {round}."
RESUMED_FROM_THE_START = (
    "The server was interrupted before this run had a checkpoint. The run starts again from the beginning."
)

STATUS_TITLE = "About this server"
STATUS_INTRO = "Numbers since the server started. They contain no data of visitors. Programs read the same at /health."
STATUS_ROWS = {  # the fields of /health that the page shows, and their labels
    "running": "runs in progress",
    "waiting": "runs waiting",
    "waits.now": "wait for a new run, now",
    "waits.usual": "usual recent wait",
    "waits.longest": "longest recent wait",
    "runs": "runs since the start",
    "refused": "refused",
    "storage": "stored on disk",
    "kept": "history",
    "lost": "slots lost to runs that hang",
    "up_seconds": "up for",
    "versions": "versions",
}

PARTS: dict[str, tuple[str, str]] = {
    "names": ("class names", "All that is known about the data: the names of the classes, and a trained teacher."),
    "embeddings": (
        "label embeddings",
        "A text encoder turns each name into a vector. This table does not change during a run.",
    ),
    "noisy": (
        "noisy layer",
        "A linear layer with random weights. It is the only source of randomness. A re-draw gives new images.",
    ),
    "generator": (
        "generator",
        "A small convolutional network. It makes one image of each class from every noisy layer.",
    ),
    "images": (
        "images",
        "The generated images. Each round the best batch enters the pool. The student learns from the pool.",
    ),
    "teacher": (
        "teacher",
        (
            "A trained network whose weights do not change. It classifies the images. The student learns only from its "
            "outputs."
        ),
    ),
    "student": ("student", "A smaller network that imitates the teacher on the images in the pool."),
    "losses": (
        "losses",
        "The generator minimizes three terms: images have the wanted class, match the teacher's statistics, and "
        "challenge the student.",
    ),
}


def narrate(event: Event, config: Mapping[str, Any]) -> str:
    """One sentence with the numbers of the event at hand; empty where there is nothing to say."""
    match event:
        case RunStarted():
            width = event.embeddings.shape[1]
            return (
                f"Each of the {len(event.classes)} class names becomes an embedding of {width} numbers. The "
                "embeddings do not change."
            )
        case LayerRedrawn():
            return _redraw_sentence(event)
        case GeneratorStep():
            return _generator_sentence(event, int(config["synthesis_batch"]))
        case RoundSynthesized():
            where = "it enters the pool" if event.pooled else "it comes too early to be kept"
            return (
                f"The best batch of the round came at step {event.best_step + 1}: the teacher recognizes "
                f"{_percent(event.label_accuracy)} of it, and {where}."
            )
        case StudentStep():
            return (
                f"Step {event.step + 1} of {event.steps}: student and teacher predict the same class for "
                f"{_percent(event.agreement)} of these pool images; the loss is {event.loss:.3g} nats at temperature "
                f"{config['temperature']:g}."
            )
        case DiversityMeasured():
            return _diversity_sentence(event)
        case PolicyChanged():
            return f"From this round on: {changed(event)}."
        case EvaluatedAtStart():
            whose = ", with weights of its teacher" if event.thinned else ""
            return f"Before its first step{whose}: {_measure_sentence(event)}"
        case Evaluated():
            return _measure_sentence(event)
        case _:
            return ""


def _redraw_sentence(event: LayerRedrawn) -> str:
    if event.what == "generator" and event.round == 0:
        return "The generator and its noisy layers start with random weights."
    if event.what == "generator":
        return "The generator and the noisy layers get new random weights, so the images do not keep one style."
    if event.what == "first layer":
        return "The first layer of the generator is re-drawn; all other layers keep their weights."
    sets, _, width = event.outputs.shape
    layers = "The noisy layer is" if sets == 1 else "The noisy layers are"
    return f"{layers} re-drawn: every name now gives {width:,} new numbers."


def _generator_sentence(event: GeneratorStep, batch: int) -> str:
    seen = round(event.label_accuracy * batch)
    sentence = (
        f"Step {event.step + 1} of {event.steps}: the teacher predicts the wanted class for {seen} of {batch} "
        f"images; cross-entropy {event.ce:.2f} nats"
    )
    if event.adversarial:
        sentence += f"; teacher and student differ by {abs(event.adversarial):.2f} nats"
    return sentence + "."


def _diversity_sentence(event: DiversityMeasured) -> str:
    within, real = event.samples.within, event.real
    if within.counts.max() < 2:
        return ""
    against = f"; real test images: {real.within.vendi_mean:.1f}" if real else ""
    return (
        f"By the teacher's features, {round(within.counts.mean())} images of a class count as "
        f"{within.vendi_mean:.1f} different ones{against}; noise: {event.noise.within.vendi_mean:.1f}."
    )


def changed(event: PolicyChanged) -> str:
    """The settings that changed, before and after: `noisy_reset_every 1 → 0`."""
    return ", ".join(f"{name} {before} → {after}" for name, (before, after) in event.changes.items())


def _measure_sentence(event: Evaluated) -> str:
    if event.accuracy is not None:
        teacher = event.teacher_accuracy
        against = f", the teacher on {_percent(teacher)}" if teacher is not None else ""
        return (
            f"On {event.images:,} real test images, which only measure, the student is correct on "
            f"{_percent(event.accuracy)}{against}."
        )
    if event.agreement is not None:
        agreed = _percent(event.agreement)
        return f"On {event.images:,} held-back samples, student and teacher predict the same class for {agreed}."
    return ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


LAB_EXAMPLE = (
    "A finished example, recorded by the project: three arms with three seeds. Choose an experiment above and press "
    "Run to get your own."
)
