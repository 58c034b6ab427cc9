"""Settings: found, read, overridden by variables, and refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

import trueup
from trueup.flows.settings import locate, read_settings
from trueup.storage.errors import ConfigError

MINIMAL = '[streams.reviews]\ntime = "at"\ntext = ["content"]\n'


def written(folder: Path, text: str = MINIMAL) -> Path:
    file = folder / "trueup.toml"
    file.write_text(text)
    return file


def test_the_file_is_found_upward(tmp_path: Path) -> None:
    """From a folder below, the settings above hold, and the home folder lies beside them."""
    written(tmp_path)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    found = locate(None, None, start=below)
    assert found.file == tmp_path / "trueup.toml"
    assert found.home == tmp_path / ".trueup"
    assert found.settings.stream("reviews").policy.window == 500


def test_variables_come_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key is also a TRUEUP_… variable; the password is only there."""
    written(tmp_path, MINIMAL + "[streams.reviews.policy]\nwindow = 300\nconfirm = 3\n")
    monkeypatch.setenv("TRUEUP_STREAMS__REVIEWS__POLICY__WINDOW", "200")
    monkeypatch.setenv("TRUEUP_SMTP__PASSWORD", "secret")
    settings = locate(None, None, start=tmp_path).settings
    assert settings.stream("reviews").policy.window == 200
    assert settings.stream("reviews").policy.confirm == 3
    assert settings.smtp.password.get_secret_value() == "secret"
    assert "secret" not in repr(settings)


def test_recipients_and_the_certificate_are_read_as_they_are_meant(tmp_path: Path) -> None:
    """Several addresses in a string are told apart, each once; a company's certificate lies beside the settings."""
    told = '[streams.reviews.alerts]\nto = "Ann <a@x.org>, b@y.org; a@X.org"\n'
    smtp = '[smtp]\nhost = "m.x.org"\nsecurity = "ssl"\nca = "ca.pem"\nfrom = "T <t@\u00fc.org>"\n'
    written(tmp_path, MINIMAL + told + smtp)
    settings = locate(None, None, start=tmp_path).settings
    assert settings.stream("reviews").alerts.to == ("Ann <a@x.org>", "b@y.org")
    assert settings.smtp.ca == str(tmp_path / "ca.pem")
    assert settings.smtp.domain == "xn--tda.org"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL + "windw = 3\n", "streams.reviews.windw: this key is unknown"),
        (MINIMAL + "[streams.reviews.policy]\nwindow = 10\n", "needs 30 records"),
        (MINIMAL + '[streams.reviews.policy]\ncooldown = "soon"\n', "not a span of time"),
        ('[streams.reviews]\ntime = "at"\n', "no feature is declared"),
        (MINIMAL + '[streams.reviews.label]\ncolumn = "content"\n', "leak the answer"),
        (MINIMAL + '[streams.reviews.schedule]\ncron = "hourly"\n', "no cron line"),
        (MINIMAL + '[streams.reviews.policy]\nmetric = "mae"\n', "does not fit task"),
        (MINIMAL + '[streams.reviews.alerts]\nto = ["a@example.org", "nobody"]\n', "'nobody' is not a mail address"),
        (MINIMAL + '[streams.reviews.alerts]\nto = ["Doe, Ann <a@b.org>"]\n', "a name with a comma in quotes"),
        (MINIMAL + '[smtp]\nreply_to = "a@b.org, c@d.org"\n', "is not a mail address"),
        (MINIMAL + '[smtp]\nhost = "m.example.org"\nca = "ca.pem"\n', "no certificate is ever looked at"),
        (MINIMAL + '[links]\nreport = "https://x.org/{raport}"\n', "the placeholder {raport} is unknown"),
        (MINIMAL + '[links]\nreport = "ftp://x.org/{report}"\n', "links.report: it is no address of a page"),
        (MINIMAL + '[streams.reviews.prediction]\ncolumn = "content"\n', "would learn from"),
        (MINIMAL + '[streams.reviews.prediction]\nversion = "v"\n', "no column holds one"),
        (MINIMAL + '[streams.reviews.prediction]\ncolumn = "p"\nscore = "p"\n', "three different columns"),
        (
            MINIMAL + '[streams.reviews.policy]\nmetric = "roc_auc"\n[streams.reviews.prediction]\ncolumn = "p"\n',
            "prediction.score names no column",
        ),
        (MINIMAL + '[smtp]\nfrom = "trueup"\n', "'trueup' is not a mail address"),
        ("[streams", "not readable as TOML"),
        (MINIMAL + '[streams.reviews.policy]\nwindow = "99999999999999d"\n', "longer than a hundred years"),
        (MINIMAL + '[streams.reviews.policy]\nwindow = "0d"\n', "no time span"),
        (MINIMAL + "[streams.reviews.policy]\nwindow = 0x" + "f" * 5000 + "\n", "reviews.policy.window"),
        (MINIMAL + "[streams.reviews.policy]\nmax_drop = nan\n", "finite number"),
        (MINIMAL + '[streams.reviews.schedule]\ncron = "0 9 31 2 *"\n', "never fires"),
        (MINIMAL + '[streams.reviews.schedule]\ncron = "0 0 9 * * *"\n', "five fields but has 6"),
        (MINIMAL + '[store]\nurl = "sqlite://"\n', "store.url: it names a database in memory"),
        (MINIMAL + '[store]\nurl = "postgresql://u@h:54x2/d"\n', "store.url: its port is no number"),
        (MINIMAL + '[tracking]\nuri = "http://h:50x0"\n', "tracking.uri: its port is no number"),
        (MINIMAL + '[store]\narchive = "sftp://h:2x/a"\n', "store.archive: its port is no number"),
        (MINIMAL + 'slices = [""]\n', "a column is named ''"),
        ('[streams.r]\ntime = []\ntext = ["t"]\n', "a column is named ''"),
        (MINIMAL + "training = { candidates = [] }\n", "there is no candidate"),
        (MINIMAL + 'training = { candidates = ["forest"] }\n', "'forest' is no candidate"),
        (MINIMAL + 'label = { column = "s", classes = { a = "<=x" } }\n', "reviews: label.classes: the rule '<=x'"),
        (MINIMAL + 'label = { column = "s", classes = { a = "<=3", b = ">=3" } }\n', "value 3 belongs to 'a' and 'b'"),
        (MINIMAL + 'time_format = "%H:%M"\n', "streams.reviews: time_format '%H:%M' names no year"),
        (MINIMAL + 'time_format = "%Y %Y"\n', "write each once"),
        ('[streams.r]\ntime = { start = "soon", step = "1h" }\ntext = ["t"]\n', "streams.r: time.start = 'soon'"),
        ('[streams."../out"]\ntime = "at"\ntext = ["content"]\n', "also a folder's"),
    ],
)
def test_wrong_settings_are_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    """One line says which key is wrong, what with it, and that nothing was done."""
    written(tmp_path, text)
    with pytest.raises(ConfigError, match="Nothing was done") as refused:
        locate(None, None, start=tmp_path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value).split("Nothing")[0].rstrip() or "TOML" in said


def test_a_variable_that_is_no_json_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are written as JSON in variables; what is not is said, not shown as a traceback."""
    written(tmp_path)
    monkeypatch.setenv("TRUEUP_STREAMS__REVIEWS__ALERTS__TO", "a@example.org")
    with pytest.raises(ConfigError, match=r"TRUEUP_STREAMS__REVIEWS__ALERTS__TO cannot be read.*written as JSON"):
        locate(None, None, start=tmp_path)


def test_a_wrong_variable_is_named_and_not_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks through a file for what a variable says."""
    written(tmp_path)
    monkeypatch.setenv("TRUEUP_SMTP__PORT", "70000")
    with pytest.raises(ConfigError) as refused:
        locate(None, None, start=tmp_path)
    assert "the variable TRUEUP_SMTP__PORT: " in str(refused.value)
    assert "trueup.toml" not in str(refused.value)


def test_a_password_in_the_file_is_refused_and_not_shown(tmp_path: Path) -> None:
    """Settings are shared and kept in version control; secrets have a place of their own."""
    written(tmp_path, MINIMAL + '[smtp]\nhost = "127.0.0.1"\npassword = "hunter2"\n')
    with pytest.raises(ConfigError, match="TRUEUP_SMTP__PASSWORD") as refused:
        locate(None, None, start=tmp_path)
    assert "hunter2" not in str(refused.value)


def test_an_unknown_stream_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    """A typing error in a stream's name is seen at once."""
    written(tmp_path)
    with pytest.raises(ConfigError, match="configured: reviews"):
        locate(None, None, start=tmp_path).settings.stream("review")


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """--config that names nothing is no reason to go on without settings."""
    with pytest.raises(ConfigError, match="no settings file"):
        locate(tmp_path / "other.toml", None)


def test_each_fault_is_one_line_and_shows_no_login(tmp_path: Path) -> None:
    """All faults are told at once, a line each; a wrong address is shown without its password."""
    written(
        tmp_path,
        MINIMAL + '[streams.reviews.policy]\nwindow = [1]\nconfirm = 0\n'
        '[store]\nurl = "postgresql://u:hunter2@h:54x2/d"\n',
    )
    with pytest.raises(ConfigError) as refused:
        locate(None, None, start=tmp_path)
    assert [line.split(": ")[1] for line in str(refused.value).splitlines()] == [
        "streams.reviews.policy.window", "streams.reviews.policy.confirm", "store.url",
    ]  # fmt: skip
    assert "hunter2" not in str(refused.value)


def test_a_byte_order_mark_is_no_part_of_the_settings(tmp_path: Path) -> None:
    """A file that an editor began with a byte order mark is read as any other."""
    (tmp_path / "trueup.toml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert locate(None, None, start=tmp_path).settings.stream("reviews").text == ("content",)


def test_relative_places_begin_at_the_file_from_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Store, archive and registry are the same ones wherever a command is run, also where a variable names them."""
    written(tmp_path, MINIMAL + '[store]\nurl = "sqlite:///s.db"\narchive = "kept"\n[tracking]\nuri = "sqlite:///m.db"\n')
    below = tmp_path / "below"
    below.mkdir()
    for start in (tmp_path, below):
        settings = locate(None, None, start=start).settings
        assert settings.store.url == f"sqlite:///{tmp_path}/s.db"
        assert settings.store.archive == f"{tmp_path}/kept"
        assert settings.tracking.uri == f"sqlite:///{tmp_path}/m.db"
    monkeypatch.chdir(below)
    monkeypatch.setenv("TRUEUP_STORE__ARCHIVE", "other")
    assert locate(Path("../trueup.toml"), None).settings.store.archive == f"{below}/../other"


def test_doctor_says_where_everything_lies(tmp_path: Path) -> None:
    """Store, archive and MLflow's tables are named in full, from whatever folder it is asked."""
    written(tmp_path, MINIMAL + '[store]\nurl = "sqlite:///s.db"\narchive = "kept"\n')
    with trueup.open(tmp_path / "trueup.toml") as deployment:
        found = {finding.name: finding.said for finding in deployment.doctor()}
    assert f"{tmp_path}/s.db" in found["store"]
    assert f"{tmp_path}/kept" in found["archive"]
    assert f"{tmp_path}/.trueup/mlflow.db" in found["tracking"]


def test_a_variable_that_sets_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the pen in a table's name is no setting that is silently left out."""
    monkeypatch.setenv("TRUEUP_STREAM__REVIEWS__POLICY__WINDOW", "99")
    with pytest.raises(ConfigError, match="TRUEUP_STREAM__REVIEWS__POLICY__WINDOW sets nothing"):
        read_settings(MINIMAL, "trueup.toml")


TABULAR = '[streams.r]\ntime = "at"\nnumeric = ["a"]\n[streams.r.label]\ncolumn = "y"\n[streams.r.training.spaces'


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (".boosting]\na = 1\n", "spaces.boosting: no family of this stream that could be tuned; write one of logistic"),
        (".ridge]\nalpha = 1\n", "spaces.ridge: no family of this stream"),
        (".linear_svm]\n", "spaces.linear_svm: names no hyperparameter; write some of C"),
        (".adaboost]\nC = 1\n", "spaces.adaboost.C: no hyperparameter .* write some of n_estimators, max_depth"),
        (".adaboost]\nmax_depth = 1.5\n", "adaboost.max_depth: write a whole number from 1 to 64, .*it is 1.5"),
        (".adaboost]\nmax_depth = [1, true]\n", "adaboost.max_depth: write a whole number"),
        (".linear_svm]\nC = nan\n", "linear_svm.C: write a number from 1e-06 to 1e\\+06"),
        (".linear_svm]\nC = []\n", "linear_svm.C: write a number"),
        (".linear_svm]\nC = { low = 3, high = 1 }\n", "linear_svm.C: low is not below high"),
        (".linear_svm]\nC = { low = 3 }\n", "linear_svm.C: a range has low and high"),
        (".linear_svm]\nC = { low = 1, high = 3, scale = 'ln' }\n", 'may have scale = "linear" or "log"'),
        (".linear_svm]\nC = { low = 0, high = 3 }\n", "linear_svm.C: low and high are each a number from 1e-06"),
        (
            ".gradient_boosting]\nl2_regularization = { low = 0, high = 3, scale = 'log' }\n",
            "a logarithmic range begins above 0",
        ),
        ("]\nlinear_svm = 1\n", "spaces.linear_svm: Input should be a valid dictionary"),
        (
            ".linear_svm]\nC = 1\n[streams.r.training]\ncandidates = []\ntrainer = { command = ['train'] }\n",
            "spaces are tried beside candidates",
        ),
    ],
)  # fmt: skip
def test_spaces_of_which_nothing_could_be_drawn_are_refused(table: str, said: str) -> None:
    """The family, the hyperparameter and what it allows are named when the settings are read."""
    with pytest.raises(ConfigError, match=said):
        read_settings(TABULAR + table, "trueup.toml")


def test_spaces_are_read_as_they_are_written() -> None:
    """A number, a list and a range, and how many are drawn."""
    ranged = ".linear_svm]\nC = { low = 0.01, high = 10, scale = 'log' }\n"
    more = "[streams.r.training.spaces.adaboost]\nmax_depth = [1, 3]\n[streams.r.training]\nconfigurations = 7\n"
    training = read_settings(TABULAR + ranged + more, "trueup.toml").stream("r").training
    assert training.configurations == 7
    assert training.spaces == {
        "linear_svm": {"C": {"low": 0.01, "high": 10, "scale": "log"}},
        "adaboost": {"max_depth": [1, 3]},
    }
