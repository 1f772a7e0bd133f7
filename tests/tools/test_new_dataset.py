import pytest

TOOL = "new_dataset.py"
OPTIONS = [
    "train_cfg.max_iters=2",
    "train_cfg.val_interval=2",
    "default_hooks.checkpoint.interval=2",
    "train_dataloader.batch_size=2",
    *(f"{split}_dataloader.num_workers=0" for split in ("train", "val", "test")),
    *(f"{split}_dataloader.persistent_workers=False" for split in ("train", "val")),
]


@pytest.fixture
def new_dataset(run_tool, your_data, tmp_path):
    def run(*args):
        written = ("--out", tmp_path / "cloudseg_mine.py", "--lists", tmp_path / "lists")
        return run_tool(TOOL, your_data, *written, *args)

    return run


def test_it_shows_what_it_found_and_what_comes_next(new_dataset, tmp_path):
    code, out, err = new_dataset("--small", "--classes", "1=water", "2=land", "3=land")
    assert code == 0, err
    for part in ("4 samples", "linear", "s2_scl", "warped to the optical grid", "label_scale 1/3",
                 "1 land: 2, 3", "train 2, val 1, test 1"):  # fmt: skip
        assert part in out, part
    config = tmp_path / "cloudseg_mine.py"
    assert out.splitlines()[-3:] == [
        f"  python tools/verify_dataset.py {config}",
        f"  python tools/train.py {config}",
        f"  python tools/test.py {config} work_dirs/cloudseg_mine/best.pth --out results",
    ]


def test_a_dry_run_writes_nothing(new_dataset, tmp_path):
    code, out, _ = new_dataset("--dry-run")
    assert code == 0 and "4 samples" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--label", "nowhere"], "--label"),
        (["--classes", "1=water", "land"], "CODE=NAME"),
        (["--classes", "water"], "1 names for the 5 codes"),
        (["--without", "sar"], "--sar DIR"),
    ],
)
def test_what_it_cannot_use_ends_in_one_line(new_dataset, args, text):
    code, _, err = new_dataset(*args)
    assert code == 1 and "new_dataset: " in err and text in err and "Traceback" not in err


@pytest.mark.slow
def test_from_nothing_to_scores(new_dataset, run_tool, tmp_path):
    """Verify, train teacher and student, test, as the tool says, on what it wrote."""
    config, work = tmp_path / "cloudseg_mine.py", tmp_path / "work"
    code, _, err = new_dataset("--small", "--classes", "1=a", "2=b", "3=c")
    assert code == 0, err
    code, out, err = run_tool("verify_dataset.py", config)
    assert code == 0 and "train: 2 samples, 0 problems" in out, err
    code, _, err = run_tool("train.py", config, "--work-dir", work, "--cfg-options", *OPTIONS)
    assert code == 0, err
    assert (work / "best.pth").is_file() and (work / "teacher/best.pth").is_file()
    best, results = work / "best.pth", tmp_path / "results"
    code, _, err = run_tool("test.py", config, best, "--work-dir", work / "t", "--out", results)
    assert code == 0 and (results / "scores.json").is_file(), err
    assert len(list((results / "label_maps").glob("*.tif"))) == 1
