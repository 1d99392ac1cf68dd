"""Every sentence the page shows, in one place: explanations, empty and error states, and what slow motion says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nayer.events import (
    DiversityMeasured,
    Evaluated,
    Event,
    GeneratorStep,
    LayerRedrawn,
    PolicyChanged,
    RoundSynthesised,
    RunStarted,
    StudentStep,
)

TITLE = "NAYER, live"
TAGLINE = (
    "A student network learns from a teacher without a single training image: "
    "a generator invents the pictures, from nothing but the names of the classes."
)
TO_THE_LESSONS = '<a href="?lesson=1" data-lesson="1">Learn how, in eight short lessons</a>.'
EMPTY_TITLE = "Nothing has been learnt yet"
EMPTY_TEXT = (
    "Press Play: each round re-draws a layer of noise, and the generator behind it learns to paint images that the "
    "teacher recognises. The student, which never sees a real image, then learns from these, "
    "and you watch its accuracy climb."
)
WATCHING = "You are watching someone else's run. Only they can control it."
WATCHED_GONE = "The run of this link is over and no longer kept, or it never was; ask for a new link."
RECORDED = {
    "greeting": "A recording of an earlier run. Nothing is computed yet: press Play, and the next one is yours.",
    "waiting": "A recording of an earlier run, while yours waits for a place.",
    "again": "A recording of the run that has ended.",
}
NAMES_INFO = "One a line, or separated by commas: 2 to 200 names."
PROMPT_INFO = "The sentence each name is put into, at {}."
TABLE_INFO = "What stands for the names: their embeddings, or a control."
ENCODER_INFO = "A Hub id or a local folder."
LOADING_ENCODER = (
    "No shipped table has all of these texts: loading the text encoder… "
    "The first time takes up to half a minute; what you see meanwhile is the answer before."
)
FITTING_UMAP = "UMAP is fitting the names…"
SETTINGS_APPLY = (
    "A run that is going on takes new settings from its next round on: press Apply settings. Others need a new run."
)
GRACE = "Close this tab and the run ends {seconds:.0f} s later; reload it and you find your run again."

TEACHER = "The trained network that the student is to imitate."
TEACHER_HERE = TEACHER + " Or type a teacher's folder, or owner/name of an image classifier on the Hub."
OWN_TITLE = "Your own teacher"
BROUGHT = "of one's own"  # behind the word teacher, where others may look on
OWN_TEACHER = (
    "Two files of one of the networks here, as python -m nayer teach --data writes them. They are checked in memory, "
    "are yours alone, and are gone with your run."
)
OWN_NAMES = "In the order of the outputs, one a line or with commas; empty for those in config.json."
OWN_JUDGE = (
    "Optional: both files of its judge folder, which `teach --judge` made. It names samples and teaches nothing."
)
OWN_TESTS = "Optional: a zip of folders named after the classes, or a parquet file. For measuring, and nothing else."
NAMES_KNOWN = "A shipped table has the embeddings of its class names."
NAMES_READ = "The text encoder on this machine will read its class names."
NAMES_UNKNOWN = (
    "No shipped table has its class names and the text encoder is not on this machine: the run will ask the Hub for "
    "it. Without a network take one-hot rows or random numbers instead."
)

ON_A_SPACE = (
    "This is a Hugging Face Space: it sleeps while nobody comes and wakes in a minute, and unless it has storage of "
    "its own its disk is empty then, so save what you want to keep."
)
KEPT_OFF = "Runs are kept in memory only, as this server was told to: they are gone once it ends."
KEPT_UNWRITABLE = "The data folder cannot be written, so runs are kept in memory only."
KEPT_ELSEWHERE = "Another process keeps its runs in the data folder, so these are kept in memory only."
KEPT_NEWER = "The data folder's history is a newer version's, so runs are kept in memory only."
KEPT_ANEW = "The former history was damaged and is moved aside; a new one has begun."
KEPT_FULL = "The disk is full: runs go on, and what happens is kept in memory only until there is room."
KEPT_FAILING = "The data folder fails: runs go on, and what happens is kept in memory only until it works."
KEPT_WITHOUT_FILES = (
    "The disk has no room for large files: runs are kept, but from an older checkpoint or none until there is room."
)
KEPT_REPLACED = (
    "The data folder, or a part of it, was deleted or replaced while the server ran: what was in it is lost, and runs "
    "that go on are kept in it again."
)
GIVES_WAY_STILL = (
    "Others wait while this run does not go on at full speed: in {seconds} s at most it ends and the next one begins."
)
GIVES_WAY_TURN = "Others wait and this run has had its turn: in {seconds} s at most it ends and the next one begins."
GAVE_WAY_STILL = "It stood still while others waited, so its place went to the next run; what it has shown stays."
GAVE_WAY_TURN = "It had had its turn and others waited, so its place went to the next run; what it has shown stays."
NOT_DRAWN = "Something of this run could not be drawn and is left out; the run itself goes on."
FAULT = "The server made a mistake (number {number} in its log); runs go on, so try again."
RESUMED = "The server was interrupted; this run goes on from the end of round {round}."
RESUMED_FROM_THE_START = "The server was interrupted before this run had a checkpoint, so it begins again."

STATUS_TITLE = "About this server"
STATUS_INTRO = "In numbers, since it began; nothing of any visitor is among them. Programs find the same at /health."
STATUS_ROWS = {  # what of /health is shown, under which words
    "running": "runs going on",
    "waiting": "runs waiting",
    "waits.now": "wait of a new run, now",
    "waits.usual": "usual wait of the latest",
    "waits.longest": "longest wait of the latest",
    "runs": "runs since it began",
    "refused": "refused",
    "storage": "kept on the disk",
    "kept": "history",
    "lost": "places lost to runs that hang",
    "up_seconds": "up for",
    "versions": "versions",
}

PARTS: dict[str, tuple[str, str]] = {
    "names": ("class names", "All that is known of the data: the names of the classes, and a trained teacher."),
    "embeddings": (
        "label embeddings",
        "A language model turned each name into a fixed vector once; this table never changes during a run.",
    ),
    "noisy": (
        "noisy layer",
        "A linear layer with freshly drawn weights: the only source of randomness, so a re-draw means new images.",
    ),
    "generator": (
        "generator",
        "A small convolutional network that paints one image of each class from every noisy layer.",
    ),
    "images": (
        "images",
        "The invented pictures: each round the best batch goes into the pool the student learns from.",
    ),
    "teacher": ("teacher", "A frozen classifier: it judges the images, and its opinion is all the student ever gets."),
    "student": ("student", "A smaller network that imitates the teacher on the images in the pool."),
    "losses": (
        "losses",
        "What the generator lowers: images should look right, fit the teacher's statistics, puzzle the student.",
    ),
}


def narrate(event: Event, config: Mapping[str, Any]) -> str:
    """One sentence with the numbers of the event at hand; empty where there is nothing to say."""
    match event:
        case RunStarted():
            width = event.embeddings.shape[1]
            return (
                f"{len(event.classes)} class names are embedded once, as {width} numbers each; they stay as they are."
            )
        case LayerRedrawn():
            return _redraw_sentence(event)
        case GeneratorStep():
            return _generator_sentence(event, int(config["synthesis_batch"]))
        case RoundSynthesised():
            where = "it enters the pool" if event.pooled else "it is too early to keep it"
            return (
                f"The round's best batch came at step {event.best_step + 1}: "
                f"the teacher recognises {_percent(event.label_hit)} of it, and {where}."
            )
        case StudentStep():
            return (
                f"Step {event.step + 1} of {event.steps}: on these pool images the student picks the teacher's class "
                f"for {_percent(event.agreement)}; their distance is {event.loss:.3g} nats at temperature "
                f"{config['temperature']:g}."
            )
        case DiversityMeasured():
            return _diversity_sentence(event)
        case PolicyChanged():
            return f"From here on {changed(event)}."
        case Evaluated():
            return _measure_sentence(event)
        case _:
            return ""


def _redraw_sentence(event: LayerRedrawn) -> str:
    if event.what == "generator" and event.round == 0:
        return "The generator is built with random weights, and so are the noisy layers in front of it."
    if event.what == "generator":
        return "The whole generator is built anew, noisy layer included, so that it does not settle on one style."
    if event.what == "first layer":
        return "The first layer in front of the convolutions is drawn anew; all others go on from where they are."
    sets, _, width = event.outputs.shape
    layers = "a noisy layer is" if sets == 1 else "the noisy layers are"
    return f"The dice are thrown: {layers} drawn anew, and every name becomes {width:,} new numbers."


def _generator_sentence(event: GeneratorStep, batch: int) -> str:
    seen = round(event.label_hit * batch)
    sentence = (
        f"Step {event.step + 1} of {event.steps}: the teacher sees {seen} of {batch} images as their label; "
        f"cross-entropy {event.ce:.2f} nats"
    )
    if event.adversarial:
        sentence += f"; teacher and student differ by {abs(event.adversarial):.2f} nats"
    return sentence + "."


def _diversity_sentence(event: DiversityMeasured) -> str:
    within, real = event.samples.within, event.real
    if within.counts.max() < 2:
        return ""
    against = f", real test images for {real.within.vendi_mean:.1f}" if real else ""
    return (
        f"Of {round(within.counts.mean())} images of a label the teacher's features count for "
        f"{within.vendi_mean:.1f} different ones{against}, noise for {event.noise.within.vendi_mean:.1f}."
    )


def changed(event: PolicyChanged) -> str:
    """The settings that changed, before and after: `noisy_reset_every 1 → 0`."""
    return ", ".join(f"{name} {before} → {after}" for name, (before, after) in event.changes.items())


def _measure_sentence(event: Evaluated) -> str:
    if event.accuracy is not None:
        teacher = event.teacher_accuracy
        against = f", the teacher on {_percent(teacher)}" if teacher is not None else ""
        return (
            f"On {event.images:,} real test images, used for nothing else, "
            f"the student is correct on {_percent(event.accuracy)}{against}."
        )
    if event.agreement is not None:
        agreed = _percent(event.agreement)
        return f"On {event.images:,} held-back samples the student picks the teacher's class for {agreed}."
    return ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
