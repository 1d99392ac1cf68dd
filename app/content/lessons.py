"""The lessons, as data: what each says, what it lets one choose, what it runs side by side, and what to notice.

Nothing is canned: a lesson holds settings and no results. `static/lessons/` turns it into a step that starts the runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nayer.config import Config

Shown = Literal["accuracy", "hit", "within", "across", "pool"]  # the charts a lesson draws
Changes = Mapping[str, object]  # of the preset `nayer`'s settings, by name

SECONDS = 15.0  # an arm: two of them are done within a minute on two cores
TEACHER = "digits"  # the quickest


@dataclass(frozen=True, slots=True)
class Choice:
    """The live control: one thing to choose before the runs begin."""

    label: str
    options: tuple[tuple[str, Changes], ...]  # (what is read, what it sets)
    arm: bool = True  # the option is one more arm; else it holds for all arms (and may name another teacher)
    chosen: int = 0


@dataclass(frozen=True, slots=True)
class Lesson:
    """One step: a paragraph, a live control, a thing to notice."""

    title: str
    text: str
    notice: str
    choice: Choice
    arms: tuple[tuple[str, Changes], ...] = ()  # (title, changes) of what is always run
    shows: tuple[Shown, ...] = ("accuracy", "hit")
    strip: bool = False  # whether one label can be sent through fresh noisy layers
    names: tuple[str, ...] = ()  # a lesson about names runs nothing: it shows their table
    teacher: str = TEACHER
    seconds: float = SECONDS
    prompt: str = field(default=Config().prompt)
    encoder: str = field(default=Config().encoder)


# What all arms share, so that a lesson is quick: half the preset's width and steps, and no second warm-up round.
SMALL: Changes = {"generator_width": 8, "warmup_rounds": 1, "student_steps": 40}

# Without rebuilds of the whole generator, which would re-draw the noisy layer as well.
_KEPT: Changes = {"generator_reset_every": 0, "warmup_generator_reset_every": 0}
_NOISE: Changes = {
    "latent": "none",
    "noisy_layer": False,
    "noisy_reset_every": 0,
    "redraw": "first layer",
    "z_size": 100,
}
_NAYER: tuple[str, Changes] = ("NAYER", {})

LESSONS = (
    Lesson(
        title="Why a student needs data",
        text=(
            "A teacher network is trained, and its images are gone. A student can still ask it anything, but about "
            "which pictures? In the first run the student learns from what an untrained generator paints: patterns "
            "that mean nothing. In the second the generator is trained until the teacher recognises its classes in "
            "the pictures. Teacher, student and seconds are the same."
        ),
        notice=(
            "The first student hardly leaves chance, one in ten, on real images. The label hit says why: the teacher "
            "sees the wanted class no more often than that. The second climbs, though neither ever meets a real image: "
            "those only measure."
        ),
        choice=Choice(
            "Teacher",
            (
                ("handwritten digits", {"teacher": "digits"}),
                ("clothes", {"teacher": "fashion"}),
                ("ten emoji", {"teacher": "emoji10"}),
            ),
            arm=False,
        ),
        arms=(
            (
                "untrained generator",
                {"generator_steps": 1, "generator_lr": 1e-6, "pool_from_round": 0, "generator_reset_every": 0},
            ),
            ("trained generator", {}),
        ),
    ),
    Lesson(
        title="What noise as input gives",
        text=(
            "A generator turns numbers into a picture. Before NAYER the numbers were Gaussian noise z, as in a GAN. "
            "Noise means nothing to the generator: which class a number stands for it must find out by trial, or the "
            "wish for a class is dropped and the teacher's first guess counts as the label. NAYER feeds it the class "
            "names instead, so that the wanted label comes with the input."
        ),
        notice=(
            "A column is a wanted class. Where the teacher's guess counts as the label, columns mean nothing and the "
            "label hit is near chance, though a picture may be clear. Do not read a victory from the accuracy: noise "
            "alone makes cheaper rounds, and on ten digits it may well teach faster. What names are good for is the "
            "next lessons' question."
        ),
        choice=Choice(
            "Beside NAYER, run",
            (
                ("noise, any class will do", {**_NOISE, "ce_target": "teacher"}),
                ("noise, asked for a class", _NOISE),
                ("noise, new in each step", {**_NOISE, "z_redraw": "step"}),
                ("noise added to the names", {"z_size": 384, "z_combine": "add"}),
            ),
        ),
        arms=(_NAYER,),
        shows=("accuracy", "hit", "within", "pool"),
    ),
    Lesson(
        title="What a label-text embedding is",
        text=(
            "A language model turns each class name, put into a sentence, into a list of numbers: the label-text "
            "embedding (LTE). Names that mean similar things lie close together. The table is made once and never "
            "changes. In front of the noisy layer a BatchNorm takes away what all names share. Type names of your own, "
            "or replace the embeddings by rows that mean nothing."
        ),
        notice=(
            "Before BatchNorm all pairs look alike, and dog is nearest to cat. After it the names point almost evenly "
            "away from each other, as one-hot rows do, and only a trace of meaning is left: for ten classes the runs "
            "of the Reset lab cannot tell embeddings from one-hot rows."
        ),
        choice=Choice(
            "Table",
            (
                ("label-text embeddings", {"latent": "lte"}),
                ("one-hot rows", {"latent": "one-hot"}),
                ("random numbers", {"latent": "random"}),
                ("shuffled embeddings", {"latent": "shuffled"}),
            ),
        ),
        names=("dog", "cat", "fish", "apple", "banana", "airplane", "bicycle", "umbrella", "tree", "house"),
    ),
    Lesson(
        title="What the noisy layer adds",
        text=(
            "Ten names give ten points, and one point gives one picture. So a linear layer with random weights stands "
            "behind the table: the noisy layer Z. It is re-drawn each round, which sends the same names to new places, "
            "and the generator must paint them anew. It is the only randomness there is. Once images are there, send "
            "one label through sixteen fresh layers with the button below them."
        ),
        notice=(
            "Re-drawn, a label's pictures differ more within a round and over the pool. The price stands beside it: "
            "the teacher recognises fewer of them, for in a few steps the generator cannot quite catch up with a new "
            "layer. The student's accuracy decides nothing here: over three seeds no difference could be told."
        ),
        choice=Choice(
            "Beside re-drawing every round, re-draw",
            (
                ("never", {**_KEPT, "noisy_reset_every": 0}),
                ("every 10 rounds", {**_KEPT, "noisy_reset_every": 10}),
                ("every round, one layer for all", {**_KEPT, "routing": "single"}),
            ),
        ),
        arms=(("every round", _KEPT),),
        shows=("accuracy", "hit", "within", "pool"),
        strip=True,
    ),
    Lesson(
        title="What BatchNorm statistics tell",
        text=(
            "The teacher has kept one trace of its images: in each BatchNorm layer the mean μ and the variance σ² of "
            "what passed there in training. The BN loss pulls the statistics of the invented pictures towards these. "
            "It says nothing about a single picture, only how a batch of real ones looks from inside."
        ),
        notice=(
            "Without the term the generator finds few strokes that please the teacher and repeats them: the pictures "
            "of a class are more alike. With far too much of it the label hit falls, for the pictures now fit the "
            "statistics and forget their class."
        ),
        choice=Choice(
            "Beside the usual weight of 10, run a weight of",
            (
                ("0, without the term", {"bn_weight": 0.0}),
                ("1", {"bn_weight": 1.0}),
                ("100, ten times too much", {"bn_weight": 100.0}),
            ),
        ),
        arms=(("weight 10", {"bn_weight": 10.0}),),
        shows=("accuracy", "hit", "within", "pool"),
    ),
    Lesson(
        title="How the adversarial term helps",
        text=(
            "Pictures that the student has understood teach it nothing more. The adversarial term rewards the "
            "generator for pictures about which teacher and student differ: it looks for the gaps, and the student "
            "closes them. It counts only where both name the same class, so that it looks near the borders and not "
            "for nonsense."
        ),
        notice=(
            "With more weight the pictures get stranger: they differ more, and the label hit falls, until the game "
            "against the student pushes out the wish to show a class. In so few seconds the term may even cost "
            "accuracy: a student that knows little yet has few gaps worth looking for."
        ),
        choice=Choice(
            "Beside the usual weight of 1.33, run a weight of",
            (
                ("0, without the term", {"adversarial_weight": 0.0}),
                ("10", {"adversarial_weight": 10.0}),
                ("10, wherever they differ", {"adversarial_weight": 10.0, "adversarial_mask": "none"}),
            ),
        ),
        arms=(("weight 1.33", {"adversarial_weight": 1.33}),),
        shows=("accuracy", "hit", "across", "pool"),
    ),
    Lesson(
        title="What the student learns",
        text=(
            "The student never hears a label. It gets the teacher's whole answer to each picture, softened by a "
            "temperature τ, and lowers the KL divergence to it: that a picture is a 7, but a little like a 1, is what "
            "carries over. Pictures stay in a pool, and each is used many times. Choose how much the student "
            "practises between two rounds of new pictures, or what it is told."
        ),
        notice=(
            "It takes both, new pictures and time to learn from them. The seconds are the same, so who practises "
            "little sees more rounds, and who practises long sees fewer. Click a point of a curve to see the pictures "
            "of that round."
        ),
        choice=Choice(
            "Beside 40 steps a round, run",
            (
                ("5 steps a round", {"student_steps": 5}),
                ("200 steps a round", {"student_steps": 200}),
                ("40 steps, hard answers (τ = 1)", {"student_steps": 40, "temperature": 1.0}),
            ),
        ),
        arms=(("40 steps a round", {"student_steps": 40}),),
    ),
    Lesson(
        title="Where it fails",
        text=(
            "The method lives on what a teacher gives away, and on time. With many classes each needs its own images: "
            "after a minute with a hundred emoji the student is correct on about one image in ten. Slow rounds mean "
            "fewer rounds. A pool that is too small lets the student forget. And images of which the teacher is sure "
            "need not look like anything to us. Break it yourself."
        ),
        notice=(
            "What looks broken may still work: a student copies the teacher's whole answer, so it learns from pictures "
            "whose class nobody sees, too, and a high label hit proves little. The only fair judge, the accuracy on "
            "real images, is the one thing that a data-free method may not use to tune itself: it is drawn for you "
            "here, and it steers nothing."
        ),
        choice=Choice(
            "Beside NAYER, break",
            (
                ("a noisy layer for each image", {"routing": "1-to-1"}),
                ("nothing asks for a class", {"ce_weight": 0.0}),
                ("a pool of 100 pictures", {"pool_capacity": 100}),
                ("adversary gone wild", {"adversarial_weight": 50.0, "adversarial_mask": "none"}),
            ),
        ),
        arms=(_NAYER,),
        shows=("accuracy", "hit", "within", "pool"),
    ),
)


def lessons_json() -> list[dict[str, Any]]:
    """The lessons as the page's script wants them."""
    return [asdict(lesson) | {"everywhere": SMALL} for lesson in LESSONS]
