"""What each curve, panel and control of the page means, in a sentence, with its symbol and its place in the code."""

from __future__ import annotations

Rows = dict[str, tuple[str, str, str]]  # key -> (what it says, symbol, place as folder/file.py:name)

MEASURES: Rows = {
    "accuracy": (
        "Share of real test images that the student classifies correctly. Test images serve only to measure.",
        "",
        "nayer/distillation/evaluation.py:TestImages",
    ),
    "agreement": (
        "Share of images for which student and teacher predict the same class. Without test images, held-back samples "
        "replace them.",
        "S(x) = T(x)",
        "nayer/distillation/evaluation.py:HeldBack",
    ),
    "ce": (
        "Cross-entropy, in nats, of the teacher's prediction against the target class, times ce_temperature. A low "
        "value: the teacher predicts the target.",
        "L_CE",
        "nayer/distillation/losses.py:cross_entropy_loss",
    ),
    "bn": (
        "Distance between the batch's feature statistics and the running statistics of the teacher's BatchNorm layers.",
        "L_BN",
        "nayer/distillation/losses.py:batchnorm_loss",
    ),
    "adversarial": (
        "Minus the KL divergence of student from teacher, in nats: lower if they differ more. By default, images that "
        "they assign to different classes count as 0.",
        "L_adv",
        "nayer/distillation/losses.py:adversarial_loss",
    ),
    "loss": (
        "Loss of the student: KL divergence from the teacher on pool images, at temperature τ, in nats × τ².",
        "L_KL",
        "nayer/distillation/losses.py:distillation_loss",
    ),
    "label_accuracy": (
        "Share of the round's images that the teacher assigns to the wanted class. High diversity alone proves little: "
        "noise has it too.",
        "T(x̂) = ŷ",
        "nayer/distillation/report.py:Report.generator_step",
    ),
    "second_opinion": (
        "Share of the round's images that a judge assigns to the wanted class. The judge is a second network; no run "
        "learns from it.",
        "J(x̂) = ŷ",
        "nayer/distillation/report.py:Report._second_opinion",
    ),
    "within": (
        "Vendi score: effective number of different images per class in one round, by the teacher's features.",
        "",
        "nayer/analysis/similarity.py:vendi_score",
    ),
    "across": (
        "Cosine distance to the nearest image of the class in an earlier round. 0: every round gives the same images.",
        "",
        "nayer/analysis/diversity.py:between_rounds",
    ),
    "pool": (
        "Vendi score of the pool: effective number of different images per class among all images in the pool.",
        "M",
        "nayer/analysis/diversity_window.py:DiversityWindow",
    ),
    "labels_kept": (
        "Share of images whose predicted class survives a crop, a flip and mild noise.",
        "",
        "nayer/distillation/diversity_meter.py:labels_kept",
    ),
    "at_home": (
        "Share of a round's samples that lie nearest to the embedding of their own class.",
        "e_y",
        "app/run_state/embedding_map.py:Atlas.at_home",
    ),
    "seconds": (
        "Seconds of computation in this run. Pauses do not count.",
        "",
        "nayer/common/stopwatch.py:Stopwatch",
    ),
}

PANELS: Rows = {
    "diagram": (
        "The data flow of one round. The active part is highlighted. Select a part to read what it does.",
        "e_y → Z → G → x̂ → T, S",
        "nayer/distillation/train.py:train",
    ),
    "samples": (
        "The first image of each class, one row per round. A dot marks an image that teacher or student assigns to "
        "another class.",
        "x̂ = G(Z(e_y))",
        "nayer/distillation/train.py:synthesize",
    ),
    "overview": (
        "Upper row: real test images, which only test the student. Lower row: invented images, from which it learns. "
        "Below: the share of test images that each classifies correctly.",
        "x, x̂",
        "nayer/distillation/train.py:train",
    ),
    "strip": (
        "Upper row: one class through sixteen fresh noisy layers. Lower row: the same class sixteen times through "
        "one layer.",
        "G(Z(e_y))",
        "nayer/distillation/redraw_preview.py:redraws",
    ),
    "try": (
        "Draw, pick a real test image, or give a picture. The teacher, the student of this round and the untrained "
        "student classify it. The picture is not stored.",
        "T(x), S(x)",
        "nayer/runs/opinions.py:Examined",
    ),
    "failures": (
        "Accuracy by class, all answers, and the test images. A click on a bar, a square or an image shows more. Test "
        "images only measure.",
        "S(x), T(x)",
        "nayer/distillation/report.py:Report.evaluation",
    ),
    "map": (
        "Embeddings are fixed. Rings are the noisy layers' outputs for them. Dots are the newest images.",
        "e_y, Z(e_y)",
        "app/run_state/embedding_map.py:Atlas",
    ),
    "diversity": (
        "How different the images of a class are, at three scales, with real test images and pure noise as references.",
        "",
        "nayer/distillation/diversity_meter.py:DiversityMeter",
    ),
    "losses": (
        "The three loss terms of the generator and the loss of the student. The generator minimizes the weighted sum.",
        "L_G = α_ce L_CE + α_bn L_BN + α_adv L_adv",
        "nayer/distillation/train.py:generator_objective",
    ),
    "rounds": (
        "Where the images of your run lie among the embeddings, by the teacher's features, for each round.",
        "",
        "nayer/analysis/projection.py:features_onto_anchors",
    ),
    "cosines": (
        "Cosine similarity of each pair of names, before and after the BatchNorm in front of the noisy layer.",
        "cos(e_i, e_j)",
        "nayer/analysis/row_similarity.py:Geometry",
    ),
    "arms": (
        "Runs that differ in one thing. They take turns on one thread, and each gets the same work.",
        "",
        "nayer/runs/side_by_side.py:Lab",
    ),
    "verdict": (
        "What the results show. With several seeds: a 95 % confidence interval. With one seed: no interval.",
        "",
        "nayer/analysis/significance.py:verdict",
    ),
    "runs": (
        "The runs that you started in this browser, as long as the server keeps them. Nobody else sees this list.",
        "",
        "app/runs/my_runs.py:MyRuns",
    ),
    "lab_keep": (
        "CSV: every round of every arm and seed. PNG: the charts. JSON: settings, results, curves and conclusion. The "
        "links open this lab, or the form filled in as it was.",
        "",
        "app/runs/lab_export.py:whole_lab",
    ),
    "results": (
        "Final result of each arm with each seed.",
        "",
        "app/run_state/lab_results.py:rows",
    ),
}

CONTROLS: Rows = {
    "play": (
        "Starts a run with the settings of the form, or pauses and resumes it.",
        "",
        "nayer/runs/session.py:Session.start",
    ),
    "step": (
        "Continues to the next re-draw, step or end of round, and pauses there.",
        "",
        "nayer/runs/session.py:Session.step",
    ),
    "slow": (
        "Pauses briefly at each event and describes it in one sentence.",
        "",
        "nayer/runs/session.py:Session.set_pace",
    ),
    "apply": (
        "Applies the form's settings from the next round on. A mark in each curve shows where.",
        "",
        "nayer/distillation/state.py:revise",
    ),
    "burst": (
        "On a ZeroGPU Space: computes the next rounds on a borrowed GPU. Then the run continues on this machine.",
        "",
        "nayer/runs/remote_rounds.py:rounds",
    ),
    "stop": ("Ends the run. Its results stay on the page.", "", "nayer/runs/session.py:Session.stop"),
    "replay": (
        "Plays a finished run again at any speed, with the same panels. Nothing is computed.",
        "",
        "app/run_state/replay.py:Replay",
    ),
    "share": (
        "Links to set the run up again or to watch it, its command line, and its files. Numbers repeat exactly only "
        "on one thread and without a time limit.",
        "",
        "nayer/exports/reproduce.py:words",
    ),
    "umap": (
        "Another 2-D projection. Near points are similar. Large distances have little meaning.",
        "",
        "nayer/analysis/umap_worker.py:UmapWorker",
    ),
    "experiment": (
        "What is compared: a ready-made experiment, or arms of your own.",
        "",
        "nayer/compare/experiments.py:Experiment",
    ),
    "lab_work": (
        "Billions of multiply-adds that each arm gets, the same on every machine.",
        "",
        "nayer/runs/side_by_side.py:Lab",
    ),
    "lab_seeds": (
        "Number of seeds for every arm. At least three are needed to show a difference.",
        "",
        "nayer/analysis/significance.py:difference",
    ),
    "own_teacher": (
        "A classifier of your own: its config and its weights. They are checked in memory, belong to you alone, and "
        "are deleted with your run.",
        "T",
        "nayer/teachers/upload.py:UploadedTeacher",
    ),
    "names": (
        "Class names whose embeddings are shown: 2 to 200 names.",
        "y",
        "nayer/text_rules.py:check_names",
    ),
}
