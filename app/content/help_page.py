"""What each curve, panel and control of the page means, in a sentence, with its symbol and its place in the code."""

from __future__ import annotations

Rows = dict[str, tuple[str, str, str]]  # key -> (what it says, symbol, place as folder/file.py:name)

MEASURES: Rows = {
    "accuracy": (
        "Share of real test images for which the student names the right class; they are used for nothing else.",
        "",
        "nayer/distillation/evaluation.py:TestImages",
    ),
    "agreement": (
        "Share of images on which student and teacher name the same class; without test images, of samples held back.",
        "S(x) = T(x)",
        "nayer/distillation/evaluation.py:HeldBack",
    ),
    "ce": (
        "Cross-entropy, in nats, of the teacher's answer against the wanted class, at ce_temperature and times it: low"
        " once the teacher sees it.",
        "L_CE",
        "nayer/distillation/losses.py:cross_entropy_loss",
    ),
    "bn": (
        "Distance of the images' means and variances to those kept in each of the teacher's BatchNorm layers.",
        "L_BN",
        "nayer/distillation/losses.py:batchnorm_loss",
    ),
    "adversarial": (
        "Minus the divergence, in nats, of student from teacher: the lower, the more an image finds what is unlearnt.",
        "L_adv",
        "nayer/distillation/losses.py:adversarial_loss",
    ),
    "loss": (
        "What the student lowers: its divergence from the teacher on images of the pool, both softened, in nats × τ².",
        "L_KL",
        "nayer/distillation/losses.py:distillation_loss",
    ),
    "label_hit": (
        "Share of the round's images that the teacher sees as the wanted label; diversity alone is easy, noise has it.",
        "T(x̂) = ŷ",
        "nayer/distillation/report.py:Report.generator_step",
    ),
    "second_opinion": (
        "Share that a judge names as wanted: another network, taught with such images too, that has no part in the run"
        " and is no person.",
        "J(x̂) = ŷ",
        "nayer/distillation/report.py:Report._second_opinion",
    ),
    "within": (
        "Vendi score: for how many different images those of a class in one round count, to the teacher's features.",
        "",
        "nayer/analysis/similarity.py:vendi_score",
    ),
    "across": (
        "Cosine distance to the nearest image of the class in an earlier round: 0 where every round is the same.",
        "",
        "nayer/analysis/diversity.py:between_rounds",
    ),
    "pool": (
        "Vendi score over all that is kept: for how many different images those of a class in the pool count.",
        "M",
        "nayer/analysis/diversity_window.py:DiversityWindow",
    ),
    "labels_kept": (
        "Share of images whose class the teacher keeps under a crop, a mirroring and mild noise.",
        "",
        "nayer/distillation/diversity_meter.py:labels_kept",
    ),
    "at_home": (
        "Share of a round's samples that lie nearest to the embedding of their own class.",
        "e_y",
        "app/run_state/embedding_map.py:Atlas.at_home",
    ),
    "seconds": (
        "Seconds of the run's own work, from a clock that stands still while it waits.",
        "",
        "nayer/common/stopwatch.py:Stopwatch",
    ),
}

PANELS: Rows = {
    "diagram": (
        "The way of the data through one round; the part that works is lit, and each part says what it does.",
        "e_y → Z → G → x̂ → T, S",
        "nayer/distillation/train.py:train",
    ),
    "samples": (
        "The first image of each class, a row a round: a dot marks what teacher or student sees as another class.",
        "x̂ = G(Z(e_y))",
        "nayer/distillation/train.py:synthesize",
    ),
    "strip": (
        "One class through sixteen freshly drawn noisy layers, and below it sixteen times through one that is held.",
        "G(Z(e_y))",
        "nayer/distillation/redraw_preview.py:redraws",
    ),
    "map": (
        "The embeddings stay where they are; rings are what the noisy layers make of them, dots are the newest images.",
        "e_y, Z(e_y)",
        "app/run_state/embedding_map.py:Atlas",
    ),
    "diversity": (
        "How different the images of a label are, at three scales, between real test images and noise in their place.",
        "",
        "nayer/distillation/diversity_meter.py:DiversityMeter",
    ),
    "losses": (
        "The generator's three terms and the student's loss; the generator lowers their weighted sum.",
        "L_G = α_ce L_CE + α_bn L_BN + α_adv L_adv",
        "nayer/distillation/train.py:generator_objective",
    ),
    "rounds": (
        "Where the images of your run fall among the embeddings, by the teacher's features, round by round.",
        "",
        "nayer/analysis/projection.py:features_onto_anchors",
    ),
    "cosines": (
        "How alike each two names are, before and after the BatchNorm in front of the noisy layer.",
        "cos(e_i, e_j)",
        "nayer/analysis/row_similarity.py:Geometry",
    ),
    "arms": (
        "Runs that differ in one thing, in turns on one thread, each with the same seconds of work.",
        "",
        "nayer/runs/side_by_side.py:Lab",
    ),
    "verdict": (
        "The conclusion about a difference: with several seeds a 95 % interval, with one seed none.",
        "",
        "nayer/analysis/significance.py:verdict",
    ),
    "results": (
        "What each arm came to with each seed, at the very end of its seconds.",
        "",
        "app/run_state/lab_results.py:rows",
    ),
}

CONTROLS: Rows = {
    "play": (
        "Starts a run with what the form holds, or pauses and resumes it.",
        "",
        "nayer/runs/session.py:Session.start",
    ),
    "step": (
        "Goes on to the next re-draw, step or end of a round, and pauses there.",
        "",
        "nayer/runs/session.py:Session.step",
    ),
    "slow": ("Lingers at each event and says in a sentence what it did.", "", "nayer/runs/session.py:Session.set_pace"),
    "apply": (
        "Goes on with the form's settings from the next round; each curve gets a mark.",
        "",
        "nayer/distillation/state.py:revise",
    ),
    "burst": (
        "On a ZeroGPU Space: the next rounds are made on a GPU that is lent for a moment, then the run goes on here.",
        "",
        "nayer/runs/remote_rounds.py:rounds",
    ),
    "stop": ("Ends the run; what it has shown stays.", "", "nayer/runs/session.py:Session.stop"),
    "replay": (
        "What a run told the page, told again at any speed: the panels are the same, and nothing is computed.",
        "",
        "app/run_state/replay.py:Replay",
    ),
    "share": (
        "Links to set the run up again or to watch it, its command line, and its files; "
        "only on one thread and without a time limit are the numbers the same.",
        "",
        "nayer/exports/reproduce.py:words",
    ),
    "umap": (
        "Another flat map, which keeps neighbours together; far distances mean little.",
        "",
        "nayer/analysis/umap_worker.py:UmapWorker",
    ),
    "experiment": (
        "What is held side by side: a ready-made question, or arms of your own.",
        "",
        "nayer/compare/experiments.py:Experiment",
    ),
    "lab_seconds": ("Seconds of its own work that each arm gets.", "", "nayer/runs/side_by_side.py:Lab"),
    "lab_seeds": (
        "How many seeds all arms are run with; differences can be told from three on.",
        "",
        "nayer/analysis/significance.py:difference",
    ),
    "own_teacher": (
        "A classifier of your own, as its card and its weights: checked in memory, yours alone, gone with your run.",
        "T",
        "nayer/teachers/upload.py:UploadedTeacher",
    ),
    "names": (
        "The class names whose embeddings are shown; any two to two hundred.",
        "y",
        "nayer/text_rules.py:check_names",
    ),
}
