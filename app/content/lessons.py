"""The lessons, as data: each has a text, a choice, the runs side by side, and one thing to notice.

No result is prepared: a lesson holds only settings. `static/lessons/` turns it into a step that starts the runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nayer.config import Config

Shown = Literal["accuracy", "hit", "within", "across", "pool"]  # the charts a lesson draws
Changes = Mapping[str, object]  # of the preset `nayer`'s settings, by name

WORK = 100.0  # 10⁹ multiply-adds an arm: 35 rounds with digits, and two arms take half a minute on two cores
LARGER = 1000.0  # likewise with teachers of larger networks, whose multiply-adds are faster
TEACHER = "digits"  # the quickest


@dataclass(frozen=True, slots=True)
class Choice:
    """The live control: one thing to choose before the runs begin."""

    label: str
    options: tuple[tuple[str, Changes], ...]  # (the label, the settings)
    arm: bool = True  # the option is one more arm; else it holds for all arms (and may name another teacher)
    chosen: int = 0


@dataclass(frozen=True, slots=True)
class Lesson:
    """One step: a paragraph, a live control, a thing to notice."""

    title: str
    text: str
    notice: str
    choice: Choice
    arms: tuple[tuple[str, Changes], ...] = ()  # (title, changes) of the arms that always run
    shows: tuple[Shown, ...] = ("accuracy", "hit")
    strip: bool = False  # whether one label can be sent through fresh noisy layers
    names: tuple[str, ...] = ()  # a lesson about names runs nothing: it shows their table
    teacher: str = TEACHER
    work: float = WORK  # of each arm, in 10⁹ multiply-adds
    prompt: str = field(default=Config().prompt)
    encoder: str = field(default=Config().encoder)


# All arms share these, so that a lesson is quick: half the preset's width and steps, and no second warm-up round.
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
            "A teacher network is trained, and its images are gone. A student can still ask it about any image, but "
            "which images? In the first run the student learns from the output of an untrained generator: patterns "
            "without meaning. In the second run the generator is trained until the teacher recognizes its classes "
            "in the images. Teacher, student and work are the same."
        ),
        notice=(
            "The first student stays near chance on real images: one in ten. The label accuracy shows why: the "
            "teacher predicts the wanted class no more often than that. The second student improves. Neither "
            "student learns from a real image. Real images only measure."
        ),
        choice=Choice(
            "Teacher",
            (
                ("handwritten digits", {"teacher": "digits"}),
                ("clothes", {"teacher": "fashion", "work": LARGER}),
                ("ten emoji", {"teacher": "emoji10", "work": LARGER}),
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
            "A generator turns numbers into an image. Before NAYER the numbers were Gaussian noise z, as in a GAN. "
            "Noise says nothing about the class. Either the generator finds out by training which noise belongs to "
            "which class, or no class is asked for and the teacher's prediction is the label. NAYER uses embeddings "
            "of the class names as input, so the input already contains the label."
        ),
        notice=(
            "Each column is a wanted class. Where the teacher's prediction is the label, columns mean nothing and "
            "the label accuracy is near chance, even if the images are clear. Accuracy alone does not show which "
            "method is better: rounds with noise alone are cheaper, and on ten digits they may teach faster. The "
            "next lessons show what class names are good for."
        ),
        choice=Choice(
            "Compare NAYER with",
            (
                ("noise, no wanted class", {**_NOISE, "ce_target": "teacher"}),
                ("noise, with a wanted class", _NOISE),
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
            "A language model turns a sentence with the class name into a list of numbers: the label-text embedding "
            "(LTE). Names with similar meanings lie close together. The table of embeddings is computed once and "
            "never changes. In front of the noisy layer a BatchNorm removes what all names have in common. Type "
            "your own names, or replace the embeddings by rows without meaning."
        ),
        notice=(
            "Before BatchNorm all pairs look alike, and dog is nearest to cat. After BatchNorm the names point "
            "almost evenly away from each other, as one-hot rows do. Only a trace of meaning is left. For ten "
            "classes, our runs show no difference between embeddings and one-hot rows."
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
            "Ten names give ten points, and one point gives one image. Therefore a linear layer with random weights "
            "follows the table: the noisy layer Z. It is re-drawn each round. Then the same names get new outputs, "
            "and the generator must learn new images. The noisy layer is the only source of randomness. Once there "
            "are images, use the button below them to send one class through sixteen fresh layers."
        ),
        notice=(
            "With re-draws, the images of a class differ more within a round and over the pool. This has a cost: "
            "the teacher recognizes fewer of them, because a few steps are not enough to adapt the generator to a "
            "new layer. The student's accuracy does not settle the question: three seeds showed no difference."
        ),
        choice=Choice(
            "Compare a re-draw every round with",
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
            "The teacher keeps one trace of its training images: each BatchNorm layer stores the mean μ and the "
            "variance σ² of its inputs. The BN loss pulls the statistics of the generated images toward these "
            "values. It says nothing about a single image. It describes how a batch of real images looks inside the "
            "network."
        ),
        notice=(
            "Without the term, the generator finds a few patterns that the teacher accepts and repeats them: the "
            "images of a class are more alike. With a weight that is far too high, the label accuracy falls: the "
            "images match the statistics and lose their class."
        ),
        choice=Choice(
            "Compare the usual weight of 10 with",
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
            "Images that the student already understands teach it nothing more. The adversarial term rewards images "
            "on which teacher and student differ. The generator finds the student's gaps, and the student closes "
            "them. By default the term counts only where both predict the same class, so it searches near class "
            "borders and not for nonsense."
        ),
        notice=(
            "With more weight the images look stranger: they differ more, and the label accuracy falls. In the end "
            "the adversarial term outweighs the cross-entropy term. In a short run the term may even cost accuracy: "
            "a student at the start has few gaps that are worth finding."
        ),
        choice=Choice(
            "Compare the usual weight of 1.33 with",
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
            "The student never gets a label. It gets the teacher's probabilities for each image, softened by a "
            "temperature τ, and minimizes the KL divergence from them. These probabilities carry more than the "
            "class: an image is a 7, but a little like a 1. Images stay in a pool and are used many times. Choose "
            "how many steps the student trains between two rounds, or the temperature."
        ),
        notice=(
            "The student needs both: new images and steps to learn from them. All arms have the same work. Fewer "
            "steps per round leave work for more rounds; more steps leave work for fewer. Click a point of a curve "
            "to see the images of that round."
        ),
        choice=Choice(
            "Compare 40 steps per round with",
            (
                ("5 steps per round", {"student_steps": 5}),
                ("200 steps per round", {"student_steps": 200}),
                ("40 steps, hard answers (τ = 1)", {"student_steps": 40, "temperature": 1.0}),
            ),
        ),
        arms=(("40 steps a round", {"student_steps": 40}),),
    ),
    Lesson(
        title="Where it fails",
        text=(
            "The method depends on what the teacher reveals, and on time. With many classes, each class needs its "
            "own images: after a minute with a hundred emoji, the student is correct on about one image in ten. "
            "Slow rounds mean fewer rounds. A small pool makes the student forget. And images that the teacher "
            "classifies with confidence need not look like anything to a person. Break the method yourself."
        ),
        notice=(
            "What looks broken may still work. The student copies all of the teacher's probabilities, so it also "
            "learns from images whose class no person can see. A high label accuracy proves little. Only the "
            "accuracy on real images is a fair judge, and a data-free method must not use it to tune itself. The "
            "page measures it for you. Training never uses it."
        ),
        choice=Choice(
            "Compare NAYER with",
            (
                ("one noisy layer per image", {"routing": "1-to-1"}),
                ("no cross-entropy term", {"ce_weight": 0.0}),
                ("a pool of 100 images", {"pool_capacity": 100}),
                ("adversarial weight of 50", {"adversarial_weight": 50.0, "adversarial_mask": "none"}),
            ),
        ),
        arms=(_NAYER,),
        shows=("accuracy", "hit", "within", "pool"),
    ),
)


def lessons_json() -> list[dict[str, Any]]:
    """The lessons as the page's script wants them."""
    return [asdict(lesson) | {"everywhere": SMALL} for lesson in LESSONS]
