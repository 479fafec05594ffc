"""The texts of code samples; ``tests/deployment/test_code_samples.py`` runs those of the document."""

import ast
import shlex

import pytest

from amarevents.rest.docs_page.samples import KEY_VARIABLE, URL_VARIABLE, Call, code_samples, curl_sample, python_sample
from amarevents.settings import Settings

BODY = {"name": 'Karim\'s "night" $HOME `id`\n', "price": 149.5, "open": True, "note": None, "of": [1, {}], "more": []}


def call(**changes: object) -> Call:
    usual: dict[str, object] = {"method": "GET", "path": "/events", "needs_key": False}
    return Call(**{**usual, **changes})  # type: ignore[arg-type] # values of several types


def words(source: str) -> list[str]:
    """Split a command into words as the shell does, without expanding variables."""
    return [word for word in shlex.split(source) if word != "\n"]


def keywords(source: str) -> dict[str, ast.expr]:
    """Return the keyword arguments of the request in a Python program."""
    [made] = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and len(node.args) == 1][:1]
    return {keyword.arg or "": keyword.value for keyword in made.keywords}


def test_every_call_has_a_curl_and_a_python_sample() -> None:
    assert [(one["lang"], one["label"]) for one in code_samples(call())] == [
        ("shell", "curl"),
        ("python", "Python (httpx)"),
    ]


def test_public_call_sends_no_key() -> None:
    for sample in code_samples(call()):
        assert "KEY" not in sample["source"]
        assert "Authorization" not in sample["source"]


def test_key_is_read_from_the_environment() -> None:
    assert "Authorization: Bearer $AMAR_EVENTS_KEY" in words(curl_sample(call(needs_key=True)))
    assert "os.environ['AMAR_EVENTS_KEY']" in python_sample(call(needs_key=True))


def test_path_values_are_escaped() -> None:
    made = call(path="/tickets/{ticket}/verify", method="POST", path_values={"ticket": "a/b $(id)"})
    assert words(curl_sample(made))[-1] == "$AMAR_EVENTS_URL/api/tickets/a%2Fb%20%24%28id%29/verify"
    assert '+ "/api/tickets/a%2Fb%20%24%28id%29/verify"' in python_sample(made)


def test_missing_path_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        code_samples(call(path="/events/{id}"))


def test_query_is_escaped_by_curl_and_httpx() -> None:
    made = call(query={"search": "বৃষ্টির গান & $HOME", "limit": 20})
    assert words(curl_sample(made))[-4:] == [
        "--data-urlencode",
        "search=বৃষ্টির গান & $HOME",
        "--data-urlencode",
        "limit=20",
    ]
    assert "--get" in words(curl_sample(made))
    assert ast.literal_eval(keywords(python_sample(made))["params"]) == {"search": "বৃষ্টির গান & $HOME", "limit": 20}


def test_body_is_quoted_for_the_shell_and_for_python() -> None:
    made = call(method="POST", body=BODY)
    sent = words(curl_sample(made))[-1]
    assert ast.literal_eval(sent.replace("true", "True").replace("null", "None")) == BODY
    assert ast.literal_eval(keywords(python_sample(made))["json"]) == BODY


def test_python_sample_prints_the_error_of_a_failed_call() -> None:
    source = python_sample(call())
    assert "raise_for_status" not in source
    assert 'sys.exit(f"{response.status_code} {response.text}")' in source


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_samples_use_the_method(method: str) -> None:
    assert words(curl_sample(call(method=method)))[2:4] == ["--request", method]
    assert f"httpx.{method.lower()}(" in python_sample(call(method=method))


def test_variables_of_the_samples_are_not_unknown_settings() -> None:
    Settings.from_environment({URL_VARIABLE: "http://127.0.0.1:8000", KEY_VARIABLE: "ae_u_x"})
