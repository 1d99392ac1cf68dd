"""What each method's authors published, constant by constant, beside what its full-size preset has.

`published` is the number or word in the authors' code or paper, `where` its place. A constant that differs has a
reason. Differences that no setting holds are sentences. `docs/fidelity.md` is written from here.
"""

from __future__ import annotations

from dataclasses import dataclass

ONE_POOL = "the published pool has no bound; 160,000 images are those of the whole run"
FOR_BATCH = "one batch of the generator serves both networks"
STEPS = "published: the rate is divided by 10 at set epochs; here it falls along a cosine"
NONE_HELD = "nothing is held back"
LONG_RUN = "a run has at most 100,000 rounds; published: 240,000"
OURS = "not published: it belongs to this program"


@dataclass(frozen=True, slots=True)
class Constant:
    """One published value of a setting; `reason` says why the preset differs, and is empty where it does not."""

    published: float | str | bool
    reason: str = ""
    where: str = ""  # if it is not the place of the whole method


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of one method."""

    preset: str
    where: str  # the code or paper that was read
    constants: dict[str, Constant | float | str | bool]  # by setting
    differs: tuple[str, ...] = ()  # what no setting holds
    done_right: tuple[str, ...] = ()  # faults of the published code that are not repeated
    read: str = ""  # how sure it is, if it was not the authors' own code

    def constant(self, setting: str) -> Constant:
        """The constant of a setting; a bare value is one without a reason."""
        value = self.constants[setting]
        return value if isinstance(value, Constant) else Constant(value)


_NOISE_ALONE: dict[str, Constant | float | str | bool] = {
    "latent": "none",
    "noisy_layer": False,
    "noisy_reset_every": 0,
    "redraw": Constant("none", "no layer is re-drawn: `noisy_reset_every` is 0"),
    "generator_reset_every": 0,
    "generator_width": 64,
    "generator_steps": 1,
    "generator_adam": "kept",
    "memory": "online",
    "keep": "last",
    "bn_momentum": 0.0,
    "adversarial_mask": "none",
    "warmup_rounds": 0,
    "pool_from_round": Constant("no pool", "without a pool it only says when images are held back"),
    "held_back": Constant("none", NONE_HELD),
    "crop_share": 0.0,
    "flip": False,
}

_POOLED: dict[str, Constant | float | str | bool] = {
    "latent": "none",
    "noisy_layer": False,
    "redraw": Constant("none", "it acts only where `noisy_reset_every` says so"),
    "generator_width": 64,
    "z_redraw": "round",
    "generator_adam": "each round",
    "generator_beta1": 0.5,
    "memory": "pool",
    "keep": "best",
    "pool_capacity": Constant("no bound", ONE_POOL),
    "held_back": Constant("none", NONE_HELD),
    "temperature": 20.0,
}

_DIFFER_ALL = (
    "A pool is sampled with replacement; published: epochs without replacement.",
    "Our convolutions have biases; published: none before a BatchNorm, where they change nothing.",
)
_BEST_EPOCH = "The published accuracy is the best of all epochs on the test images; here it is that of the last round."

SHEETS = (
    Sheet(
        "nayer-paper",
        "tmtuan1307/NAYER at c6bedcd (datafree/synthesis/nayer.py, scripts), CIFAR-10",
        {
            "rounds": Constant(440, "20 warm-up epochs of 10 rounds and 100 of 2 rounds are 400; E counts 120 epochs"),
            "warmup_rounds": 200,
            "student_every": 2,
            "student_steps": 400,
            "student_batch": 512,
            "student_lr": 0.2,
            "evaluate_every": Constant("each epoch", "an epoch is two rounds"),
            "generator_width": 64,
            "generator_steps": 30,
            "generator_lr": 4e-3,
            "synthesis_batch": 400,
            "generator_reset_every": Constant("10 epochs", "10 epochs of 2 rounds are 20"),
            "warmup_generator_reset_every": Constant("10 epochs", "10 epochs of 10 rounds are 100"),
            "noisy_width": 1000,
            "ce_weight": 0.5,
            "bn_weight": 10.0,
            "bn_momentum": 0.9,
            "adversarial_weight": 1.33,
            "adversarial_mask": "agree",
            "pool_capacity": Constant("no bound", ONE_POOL),
            "pool_from_round": Constant(0, "images of round 0 have hardly learned"),
            "held_back": Constant("none", NONE_HELD),
            "temperature": 20.0,
            "weight_decay": 1e-4,
            "student_lr_end": 2e-4,
            "encoder": Constant(
                "CLIP ViT-B/32", "its weights are not shipped; `--encoder openai/clip-vit-base-patch32` uses them"
            ),
            "prompt": Constant("a image of {}", "the shipped table is made with this prompt; `--prompt` changes it"),
        },
        (
            "The rate falls along a cosine with the steps; published: with the epochs.",
            *_DIFFER_ALL,
        ),
        (
            _BEST_EPOCH,
            "From each epoch's second loop on, the published student judges images in train mode; here in eval mode.",
            "The best batch is that of its own round; published, the lowest loss is kept over the loops of an epoch.",
            "A teacher without BatchNorm, and gray images, work here.",
        ),
    ),
    Sheet(
        "dafl-paper",
        "huawei-noah/Efficient-Computing, DAFL-train.py and README, the command for CIFAR-10",
        {
            **_NOISE_ALONE,
            "rounds": Constant(240_000, LONG_RUN),
            "synthesis_batch": 1024,
            "z_size": 1000,
            "z_redraw": Constant("step", f"one step a round: {FOR_BATCH}"),
            "generator_lr": 0.02,
            "generator_beta1": 0.9,
            "ce_weight": 0.05,
            "ce_target": "teacher",
            "balance_weight": Constant(5.0, "published with log₁₀: 5 / ln 10 with the natural logarithm"),
            "activation_weight": 0.01,
            "bn_weight": 0.0,
            "adversarial_weight": 0.0,
            "student_steps": 1,
            "student_lr": 0.1,
            "student_lr_end": Constant("× 0.01 from 80 %", STEPS),
            "weight_decay": 5e-4,
            "temperature": 1.0,
        },
        (
            "The student's images are made after the generator's step, from the same noise; published: before it.",
            "The image head is NAYER's, with a sigmoid; published: tanh and a BatchNorm without weights.",
        ),
        (_BEST_EPOCH, "The gradient of the balance is not NaN where a class has probability 0."),
    ),
    Sheet(
        "zskt-paper",
        "polo5/ZeroShotKnowledgeTransfer (solver.py, scripts/ZeroShot/main0.sh), CIFAR-10",
        {
            **_NOISE_ALONE,
            "rounds": 80_000,
            "synthesis_batch": 128,
            "z_size": 100,
            "z_redraw": "round",
            "generator_lr": 1e-3,
            "generator_beta1": 0.9,
            "generator_cosine": True,
            "gradient_clip": Constant(
                5.0,
                "the published KL is averaged over the classes too: for 10 classes every gradient is a tenth of ours",
            ),
            "attention_weight": Constant(250.0, "beside a KL that is ten times as large; for 10 classes"),
            "ce_weight": 0.0,
            "bn_weight": 0.0,
            "adversarial_weight": 1.0,
            "student_steps": 10,
            "student_optimizer": "adam",
            "student_lr": 2e-3,
            "student_lr_end": 0.0,
            "weight_decay": 0.0,
            "temperature": 1.0,
        },
        (
            "Both factors are for ten classes. With k classes they would be 5 · k and 250 · k.",
            "The image head is NAYER's; published: a first side of 10, and a BatchNorm without weights at the end.",
            "Attention compares the last maps of each side length; published: the outputs of the three groups.",
        ),
    ),
    Sheet(
        "dfad-paper",
        "VainF/Data-Free-Adversarial-Distillation, DFAD-cifar.py",
        {
            **_NOISE_ALONE,
            "rounds": 25_000,
            "synthesis_batch": 256,
            "z_size": 256,
            "z_redraw": "step",
            "generator_lr": 1e-3,
            "generator_beta1": 0.9,
            "ce_weight": 0.0,
            "bn_weight": 0.0,
            "adversarial_weight": 1.0,
            "adversarial_form": "l1",
            "student_steps": 5,
            "student_loss": "l1",
            "student_lr": 0.1,
            "student_lr_end": Constant(0.1, ""),
            "weight_decay": 5e-4,
            "temperature": Constant("no KL", "the loss is the L1 distance of the logits"),
        },
        ("The image head is NAYER's, with a sigmoid; published: tanh and a BatchNorm without weights.",),
        (_BEST_EPOCH,),
        read="as recorded by this project earlier; the authors' repository was not at hand to read again",
    ),
    Sheet(
        "dfq-paper",
        "zju-vipa/CMI, scripts/dfq/dfq_cifar10_wrn402_wrn161.sh and datafree/synthesis/generative.py",
        {
            **_NOISE_ALONE,
            "rounds": 8000,
            "synthesis_batch": 256,
            "z_size": 256,
            "z_redraw": "step",
            "generator_lr": 1e-3,
            "generator_beta1": 0.5,
            "ce_weight": 1.0,
            "ce_target": "teacher",
            "balance_weight": 20.0,
            "bn_weight": 1.0,
            "adversarial_weight": 1.0,
            "student_steps": 10,
            "student_lr": 0.1,
            "student_lr_end": Constant("× 0.001 from 90 %", STEPS),
            "temperature": Constant(1.0, "", "the synthesizer's and the student's KL take no --T in datafree_kd.py"),
        },
        (
            "The paper has several generators and students, and each image's entropy (`entropy_weight`) instead of the "
            "cross-entropy with the teacher's class. Its authors' code is not public.",
        ),
        (
            "This repository passes the teacher where the student belongs, so its adversarial term is 0.",
            _BEST_EPOCH,
        ),
        read="a published reimplementation; the paper's own constants could not be verified",
    ),
    Sheet(
        "cmi-paper",
        "zju-vipa/CMI, scripts/cmi/scratch_cmi_cifar10_wrn402_wrn161.sh and datafree/synthesis/contrastive.py",
        {
            **_POOLED,
            "rounds": 200,
            "warmup_rounds": 0,
            "noisy_reset_every": 0,
            "generator_reset_every": 1,
            "generator_init_std": 0.02,
            "z_size": 256,
            "z_lr": 1e-3,
            "generator_lr": 1e-3,
            "generator_steps": 200,
            "synthesis_batch": 256,
            "ce_weight": 1.0,
            "bn_weight": 1.0,
            "bn_momentum": 0.0,
            "adversarial_weight": 0.5,
            "adversarial_mask": "agree",
            "contrastive_weight": 0.8,
            "bank_capacity": 40_960,
            "pool_from_round": 0,
            "student_steps": 400,
            "student_batch": 128,
            "student_lr": 0.1,
            "student_lr_end": Constant("× 0.001 from 90 %", STEPS),
        },
        (
            "This is the run from scratch. The published table starts from inverted images: 40 epochs of 2000 steps.",
            "The bank's vectors are of new views of the best images; published: those of the best step.",
            "BatchNorm weights of a new generator are 1; published: N(1, 0.02²).",
            *_DIFFER_ALL,
        ),
        (_BEST_EPOCH,),
    ),
    Sheet(
        "fast-paper",
        "zju-vipa/Fast-Datafree at 0dcecbc, scripts of Fast-10 for CIFAR-10",
        {
            **_POOLED,
            "rounds": 220,
            "warmup_rounds": 20,
            "noisy_reset_every": Constant(140, "", "datafree/synthesis/fast_meta.py: reset_l0 in epoch 140"),
            "generator_reset_every": 0,
            "z_size": 256,
            "z_lr": 0.01,
            "generator_lr": 2e-3,
            "meta_lr": Constant(2e-2, "", "lr_g × g_steps"),
            "generator_steps": 10,
            "synthesis_batch": 256,
            "ce_weight": 0.5,
            "bn_weight": 10.0,
            "bn_momentum": 0.9,
            "adversarial_weight": 1.33,
            "adversarial_mask": "agree",
            "pool_from_round": Constant(0, "images of round 0 have hardly learned"),
            "student_steps": 400,
            "student_batch": 256,
            "student_lr": 0.2,
            "student_lr_end": 2e-4,
        },
        (
            "The first layer is re-drawn every 140 rounds: once in the published 220. The small form does so every 38 "
            "rounds: once in its 60, and again in a longer run.",
            *_DIFFER_ALL,
        ),
        (_BEST_EPOCH,),
    ),
    Sheet(
        "deepinversion-paper",
        "zju-vipa/CMI, scripts/deepinv_cifar10.sh and deepinversion.py, from which the tables' figures come",
        {
            **_POOLED,
            "generator_width": Constant("pixels", "0 means that the noise is the pixels"),
            "rounds": 200,
            "warmup_rounds": 0,
            "noisy_reset_every": 0,
            "generator_reset_every": 0,
            "z_size": Constant("pixels", "`generator_width=0` decides it"),
            "z_lr": Constant(0.1, "", "of pixels normalized to a deviation of about 1"),
            "generator_lr": Constant("no generator", "there are no weights to train"),
            "generator_steps": 1000,
            "synthesis_batch": 256,
            "ce_weight": 1.0,
            "bn_weight": 10.0,
            "bn_momentum": 0.0,
            "total_variation_weight": Constant(
                1e-3, "", "of the L2 norm of the differences of a batch; here their mean absolute value"
            ),
            "adversarial_weight": Constant(
                1.0, "plain DeepInversion; the Adaptive form's Jensen–Shannon term is not here"
            ),
            "adversarial_mask": "none",
            "pool_from_round": 0,
            "student_steps": 400,
            "student_batch": 256,
            "student_lr": 0.1,
            "student_lr_end": Constant("× 0.001 from 90 %", STEPS),
        },
        (
            "β₂ of Adam is 0.999; published: 0.99.",
            "Each image is shifted by its own draw, and new pixels are black; published: the batch rolls as one.",
            "The authors' own script for CIFAR-10 (NVlabs) has 2000 steps, BN 100 and no competition.",
        ),
        ("The best batch is copied; published, `inputs.data` goes on changing after it was kept.", _BEST_EPOCH),
    ),
    Sheet(
        "gapssg-paper",
        "hfutqian/GapSSG (gapssg_generative.py, cifar100_resnet34_mobilenetv2.sh)",
        {
            **_POOLED,
            "rounds": 200,
            "warmup_rounds": 0,
            "noisy_reset_every": 0,
            "generator_reset_every": 1,
            "generator_init_std": 0.02,
            "z_size": 256,
            "z_lr": 2e-3,
            "generator_lr": 2e-3,
            "generator_steps": 200,
            "synthesis_batch": 256,
            "ce_weight": 0.0,
            "bn_weight": 1.0,
            "bn_momentum": 0.0,
            "adversarial_weight": 0.5,
            "adversarial_form": "gap",
            "adversarial_mask": "none",
            "pool_from_round": 0,
            "student_steps": Constant("4 (epoch + 1)", "their mean over 200 epochs: phases have one length here"),
            "student_batch": 128,
            "student_lr": 0.2,
            "student_lr_end": Constant("× 0.001 from 90 %", STEPS),
        },
        ("BatchNorm weights of a new generator are 1; published: N(1, 0.02²).", *_DIFFER_ALL),
        (_BEST_EPOCH,),
    ),
    Sheet(
        "adadfkd-paper",
        "ljrprocc/DFKD (datafree/synthesis/adadfkd.py, adadfkd_cifar10_resnet34_resnet18.sh)",
        {
            **_NOISE_ALONE,
            "rounds": 10_000,
            "synthesis_batch": 512,
            "z_size": 512,
            "z_redraw": "step",
            "generator_init_std": 0.02,
            "generator_lr": 1e-3,
            "generator_beta1": 0.9,
            "ce_weight": 1.0,
            "ce_target": "teacher",
            "balance_weight": 20.0,
            "balance_temperature": 20.0,
            "bn_weight": 1.0,
            "adversarial_weight": Constant("0, then + 0.3 twice", "the script raises it during the run; here it stays"),
            "adversarial_mask": "agree",
            "contrastive_weight": 0.1,
            "contrastive_with": "student",
            "bank_capacity": 8192,
            "student_steps": 10,
            "student_lr": 0.1,
            "student_lr_end": 0.0,
            "temperature": 20.0,
        },
        (
            "The KL of the adversarial term has temperature 1; published: 3.",
            "80 % of the sorted negatives count, and the slice moves evenly; the published queue is not in the code.",
            "β₂ of Adam is 0.999; published: 0.99. The image head is NAYER's; published: a DCGAN.",
            "Student features of another length pass one random projection; published: a new one in every step.",
            "The published student weighs images by their difficulty (`curr_log`); here all weigh the same.",
        ),
        (_BEST_EPOCH,),
    ),
    Sheet(
        "cpnet-paper",
        "LannCX/CPNet (datafree/synthesis/cpnet.py, models/generator.py, cpnet_100.sh), CIFAR-10; the rest is NAYER's",
        {
            "rounds": Constant(440, "as in `nayer-paper`"),
            "warmup_rounds": 200,
            "student_every": 2,
            "student_steps": 400,
            "student_batch": 512,
            "student_lr": 0.2,
            "evaluate_every": Constant("each epoch", "an epoch is two rounds"),
            "generator_width": Constant("the teacher's", "`mirror_weight` takes the teacher's; this is not used"),
            "generator_steps": 30,
            "synthesis_batch": 400,
            "generator_reset_every": Constant("10 epochs", "10 epochs of 2 rounds are 20"),
            "warmup_generator_reset_every": Constant("10 epochs", "10 epochs of 10 rounds are 100"),
            "mirror_weight": 1.0,
            "align_weight": 1.33,
            "cutmix_share": 0.5,
            "pool_capacity": Constant("no bound", ONE_POOL),
            "pool_from_round": Constant(0, "images of round 0 have hardly learned"),
            "held_back": Constant("none", NONE_HELD),
        },
        (
            "The nodes are the teacher's last BatchNorm at each side length; published: four named layers.",
            "CutMix is in the student's images; the published code mixes those of the generator too, with both labels.",
            "Color jitter of the generator's images is left out.",
            "The pseudo-inverse has PyTorch's tolerance; published: singular values of at least 0.1.",
        ),
        ("The published code cannot run: it reads a loss (`loss_dis`) that nothing assigns.",),
        read="as described in the paper where the code cannot run; its tables were not obtained",
    ),
)

FULL_SIZE = tuple(sheet.preset for sheet in SHEETS)
# Settings of this program alone: they change what is told or measured, and no published work has them.
# Small forms with another ratio of student steps to generator steps than the published one, and why.
OTHER_RATIOS = {
    "fast-paper": (
        "20 student steps a round, not 400: otherwise nine tenths of a small run's time would be the student's. The "
        "number was tuned"
    ),
}
OWN = frozenset({"report_every", "evaluate_every", "event_every", "test_images"})
