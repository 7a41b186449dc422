"""Reads fixes as JSON from stdin, one a line: {"from": ..., "commands": [...], "manifest": ...}, and prints what no CLI would take.

aws commands go through awscli's own parser and botocore's validation of shapes, without network; kubectl and eksctl through the
tables beside this file; manifests through kubernetes-validate; IAM policies through parliament.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import tomllib
except ImportError:
    from pip._vendor import tomli as tomllib

HERE = Path(__file__).parent
NESTED = re.compile(r'"\$\(([^()]*)\)"')


class Wrong(Exception):
    pass


# --- the shell


def words_of(command):
    """The words that a shell makes of a command, what a redirection names left out; text of a here-document beside them."""
    head, document = command, None
    found = re.match(r"(.*) <<'EOF'\n(.*)\nEOF$", command, re.S)
    if found:
        head, document = found.groups()
    inner = NESTED.findall(head)
    head = NESTED.sub("arn:aws:iam::111122223333:role/path/printed", head)
    lexer = shlex.shlex(head, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words = list(lexer)
    if ">" in words:
        at = words.index(">")
        if at != len(words) - 2:
            raise Wrong("text behind a redirection")
        words = words[:at]
    if any(word and set(word) <= set("();<>|&") for word in words):
        raise Wrong("a shell operator that is not quoted")
    return words, document, inner


def check_shell(commands):
    done = subprocess.run(["bash", "-n"], input="\n".join(commands), text=True, capture_output=True, check=False)
    if done.returncode:
        raise Wrong(f"bash: {done.stderr.strip()}")


# --- aws


class Aws:
    def __init__(self):
        os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null")
        from awscli import clidriver
        from awscli.customizations import commands, waiters

        try:
            from awscli.botocore.validate import ParamValidator
        except ImportError:
            from botocore.validate import ParamValidator
        self.validator, self.create = ParamValidator(), clidriver.create_clidriver
        self.driver = clidriver.create_clidriver()
        outer = self

        def invoke(_, service_name, operation_name, parameters, parsed_globals):
            outer.take(service_name, operation_name, parameters, parsed_globals)
            return 0

        def wait(_, service_name, operation_name, parameters, parsed_globals):
            outer.asked = True
            return 0

        clidriver.CLIOperationCaller.invoke = invoke
        self.waits, self.commands = waiters, commands
        original = waiters.WaiterStateCommand.__call__ if hasattr(waiters, "WaiterStateCommand") else None
        waiters.WaiterCaller.invoke = wait
        # Commands of the CLI's own parse their words, and then do nothing here.
        run = commands.BasicCommand.__call__

        def call(command, args, parsed_globals):
            if "_run_main" in type(command).__dict__:
                def nothing(self, parsed_args, parsed_globals):
                    outer.asked = True
                    return 0

                saved = type(command)._run_main
                if type(command).__name__ not in ("WaitCommand",):
                    type(command)._run_main = nothing
                try:
                    return run(command, args, parsed_globals)
                finally:
                    type(command)._run_main = saved
            return run(command, args, parsed_globals)

        commands.BasicCommand.__call__ = call

    def take(self, service_name, operation_name, parameters, parsed_globals):
        self.asked = True
        session = self.driver.session
        model = session.get_service_model(service_name).operation_model(operation_name)
        if model.input_shape is not None:
            report = self.validator.validate(parameters, model.input_shape)
            if report.has_errors():
                raise Wrong(report.generate_report())
            self.check_patterns(parameters, model.input_shape)
        for key in ("PolicyDocument", "AssumeRolePolicyDocument", "InlinePolicy"):
            if key in parameters:
                document = json.loads(parameters[key])
                if service_name == "iam" and key == "PolicyDocument" and "Principal" not in parameters[key]:
                    check_policy(document)
        query = getattr(parsed_globals, "query", None)
        if query is not None and operation_name == "GetRole" and "Statement" in getattr(query, "expression", ""):
            for statement in ({"Sid": "old"}, [{"Sid": "old"}, {"Sid": "older"}]):
                answer = query.search({"Role": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": statement}}})
                kept = statement if isinstance(statement, list) else [statement]
                if answer["Statement"][: len(kept)] != kept or len(answer["Statement"]) != len(kept) + 1:
                    raise Wrong(f"a statement of the trust policy is lost: {answer}")
        if service_name == "iam" and operation_name == "UpdateAssumeRolePolicy" and parameters["PolicyDocument"] == "":
            raise Wrong("an empty trust policy")

    def check_patterns(self, value, shape):
        """botocore leaves patterns and enumerations to the service."""
        if shape.type_name == "structure":
            for key, inner in (value or {}).items():
                self.check_patterns(inner, shape.members[key])
        elif shape.type_name == "list":
            for inner in value:
                self.check_patterns(inner, shape.member)
        elif shape.type_name == "string":
            if shape.enum and value not in shape.enum:
                raise Wrong(f"{value!r} is none of {shape.enum}")

    def check(self, words):
        # Version 2 of the CLI alone has it.
        if words[1:3] == ["sso", "login"]:
            if words[3:] and (words[3] != "--profile" or len(words) != 5):
                raise Wrong("aws sso login takes --profile alone here")
            return 0
        # A profile is the reader's own: none is on this machine.
        if "--profile" in words:
            at = words.index("--profile")
            words = words[:at] + words[at + 2:]
        self.asked = False
        saved, sys.stderr, exit_code = sys.stderr, tempfile.TemporaryFile("w+"), None
        try:
            exit_code = self.driver.main(words[1:])
            sys.stderr.seek(0)
            said = sys.stderr.read()
        except SystemExit as error:
            sys.stderr.seek(0)
            exit_code, said = error.code, sys.stderr.read()
        finally:
            sys.stderr = saved
        if exit_code != 0 or not self.asked:
            raise Wrong(f"aws: {' '.join(said.split())[-400:]} (exit {exit_code})")
        return exit_code


def check_policy(document):
    import parliament

    findings = parliament.analyze_policy_string(json.dumps(document)).findings
    bad = [str(finding) for finding in findings if finding.issue not in ("RESOURCE_MISMATCH", "RESOURCE_STAR")]
    if bad:
        raise Wrong(f"parliament: {bad}")


# --- kubectl and eksctl


def load(name):
    with open(HERE / f"{name}.toml", "rb") as file:
        return tomllib.load(file)


def check_table(table, words):
    rest, given, place = words[1:], {}, []
    common = table["flags"]

    def split(flags, words):
        at, behind = 0, []
        while at < len(words):
            word = words[at]
            at += 1
            if word == "--":
                return behind + words[at:]
            if not word.startswith("-") or word == "-":
                behind.append(word)
                continue
            name, equals, value = word.lstrip("-").partition("=")
            kind = flags.get(name)
            if kind is None:
                raise Wrong(f"unknown flag {word}")
            if (len(name) == 1) == word.startswith("--"):
                raise Wrong(f"wrong number of dashes: {word}")
            if kind == "switch":
                value = "true"
            elif not equals:
                if at == len(words):
                    raise Wrong(f"{word} without a value")
                value = words[at]
                at += 1
            if kind == "value" and name in given:
                raise Wrong(f"{word} twice")
            given.setdefault(name, []).append(value)
        return behind

    # The command's own words may come behind common flags.
    every = {name: kind for command in table.values() if "words" in command for name, kind in command["flags"].items()}
    place = split({**every, **common}, rest)
    given.clear()
    command = next((name for name in (" ".join(place[:2]), place[0] if place else "") if name in table), None)
    if command is None:
        raise Wrong(f"unknown command {place[:2]}")
    spec = table[command]
    behind = split({**common, **spec["flags"]}, rest)[len(command.split()):]
    least, most = spec["words"]
    if not least <= len(behind) <= most:
        raise Wrong(f"{command}: {behind} are {len(behind)} words")
    for needs in spec.get("needs", []):
        if sum(name in given for name in needs) != 1:
            raise Wrong(f"{command}: needs exactly one of {needs}")
    return command, behind, given


NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")


def check_kubectl(table, words):
    command, behind, given = check_table(table, words)
    if command.startswith("create ") and command != "create namespace":
        if not re.match(r"^[a-z0-9:.-]+$", behind[0]) or len(behind[0]) > 253:
            raise Wrong(f"not a name: {behind[0]}")
    if command == "patch":
        operations = json.loads(given.get("p", given.get("patch"))[0])
        for operation in operations:
            if operation["op"] not in ("test", "add", "replace", "remove") or not operation["path"].startswith("/"):
                raise Wrong(f"not a JSON patch: {operation}")
        if operations[0]["op"] != "test":
            raise Wrong("a patch that does not test what it changes")
    if command in ("create role", "create clusterrole") and "impersonate" in given["verb"] and "resource-name" not in given:
        raise Wrong("impersonate without a name")
    return command, behind, given


def check_manifest(text):
    import kubernetes_validate

    document = json.loads(text)
    if "kind" not in document:
        if "Statement" not in document and "Effect" not in document:
            raise Wrong("neither an object of Kubernetes nor a policy")
        return
    for item in document["items"] if document["kind"] == "List" else [document]:
        kubernetes_validate.validate(item, "1.29", strict=True)


def main():
    aws, tables = Aws(), {name: load(name) for name in ("kubectl", "eksctl")}
    seen, wrong, count, made = set(), [], 0, {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in ("trust.json", "policy.json"):
            Path(name).write_text('{"Version": "2012-10-17", "Statement": []}')
        for line in sys.stdin:
            fix = json.loads(line)
            try:
                check_shell(fix["commands"])
            except Wrong as error:
                wrong.append((fix["from"], fix["commands"], str(error)))
            work = list(fix["commands"])
            for command in work:
                if command in seen:
                    continue
                seen.add(command)
                count += 1
                try:
                    words, document, inner = words_of(command)
                    work.extend(inner)
                    if document is not None:
                        check_manifest(document)
                    if words[0] == "aws":
                        aws.check(words)
                        if words[1] == "eks" and "--region" not in words:
                            raise Wrong("without --region")
                    elif words[0] == "kubectl":
                        told, behind, given = check_kubectl(tables["kubectl"], words)
                        if told in ("create role", "create rolebinding", "create clusterrole", "create clusterrolebinding"):
                            key = (fix.get("cluster"), told, behind[0], tuple(given.get("n", [])))
                            if made.setdefault(key, command) != command:
                                raise Wrong(f"the name is taken: {made[key]}")
                    elif words[0] == "eksctl":
                        _, _, given = check_table(tables["eksctl"], words)
                        if "region" not in given:
                            raise Wrong("without --region")
                    elif words[0] == "eksplain":
                        # Its own parser: help comes only where all before it was understood.
                        answer = subprocess.run([os.environ["EKSPLAIN_BIN"], *words[1:], "--help"], capture_output=True, text=True)
                        if answer.returncode:
                            raise Wrong(answer.stderr.strip().splitlines()[0])
                    elif words[0] == "export":
                        if not re.match(r"^[A-Z_]+=[a-z0-9.-]+$", words[1]):
                            raise Wrong("not an assignment")
                    elif words[:2] != ["chronyc", "makestep"]:
                        raise Wrong("an unknown program")
                except Exception as error:
                    wrong.append((fix["from"], command, f"{type(error).__name__}: {error}"))
            if fix.get("manifest"):
                try:
                    check_manifest(fix["manifest"])
                except Exception as error:
                    wrong.append((fix["from"], fix["manifest"], f"{type(error).__name__}: {error}"))
    for source, command, error in wrong:
        print(f"{source}: {command}\n    {error}")
    print(f"{count} commands", file=sys.stderr)
    sys.exit(bool(wrong) or count == 0)


main()
