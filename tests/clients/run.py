"""Other people's TDS clients against the lab: the same questions to each, their answers compared.

run.py LAB [--node-modules FOLDER]
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
INSTANCE = "B\\RTC"

# What each client is asked, and what must come back. None as the wanted answer: any single value that is not empty.
QUESTIONS = [
    ("the version", "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS v", None),
    ("a database's state", "SELECT state_desc FROM sys.databases WHERE name = N'mgc'", "RESTORING"),
    ("text with an umlaut and a NULL beside it", "SELECT N'M\u00fcller' AS a, CAST(NULL AS nvarchar(10)) AS b", "M\u00fcller"),
    ("an LSN beyond 63 bits is ordered as a number",
     "SELECT CASE WHEN MAX(redo_start_lsn) > 9223372036854775807 THEN N'beyond' ELSE N'below' END AS r "
     "FROM sys.master_files WHERE database_id = DB_ID(N'mgc')", "beyond"),
    ("a join over msdb",
     "SELECT TOP (1) d.secondary_database FROM msdb.dbo.log_shipping_secondary s "
     "JOIN msdb.dbo.log_shipping_secondary_databases d ON d.secondary_id = s.secondary_id", "mgc"),
    ("a count", "SELECT COUNT(*) FROM msdb.dbo.sysjobs WHERE enabled IN (0, 1) AND name LIKE N'LS%'", "2"),
]
# Errors come with SQL Server's own number, the specific one first.
REFUSALS = [
    ("a table that does not exist", "SELECT * FROM no_such_table", 208),
    ("a file that does not exist", "RESTORE HEADERONLY FROM DISK = N'E:\\nothing\\here.trn'", 3201),
    ("a restoring database", "USE mgc", 927),
]


class Lab:
    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "serve", "--scenario", "small", "--until-stdin-closes"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about = json.loads(self.process.stdout.readline())
        entry = next(i for i in self.about["instances"] if i["name"] == INSTANCE)
        self.host, self.port = entry["address"], entry["port"]
        login = self.about["logins"][0]
        self.user, self.password = login["name"], login["password"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


def with_tsql(lab):
    program = shutil.which("tsql")
    if not program:
        return None

    def ask(sql):
        # tsql takes a password by option only; this one is
        # the lab's own throw-away login.
        done = subprocess.run(
            [program, "-H", lab.host, "-p", str(lab.port), "-U", lab.user, "-P", lab.password, "-o", "fhq", "-t", "|"],
            input=sql + "\nGO\nexit\n", capture_output=True, text=True, timeout=60,
            env={**os.environ, "TDSVER": "7.4", "LC_ALL": "C.UTF-8"})
        text = done.stdout + done.stderr
        for line in text.splitlines():
            if line.startswith("Msg "):
                raise Refused(int(line.split()[1].strip("(,")))
        rows = [line for line in done.stdout.splitlines() if line.strip()]
        return rows[0].split("|")[0] if rows else ""

    return ask


class Refused(Exception):
    def __init__(self, number):
        super().__init__(str(number))
        self.number = number


def with_python_tds(lab):
    try:
        import pytds
    except ImportError:
        return None
    connection = pytds.connect(
        dsn=lab.host, port=lab.port, user=lab.user, password=lab.password, database="master", autocommit=True,
        timeout=60, login_timeout=30)

    def ask(sql):
        with connection.cursor() as cursor:
            try:
                cursor.execute(sql)
                row = cursor.fetchone() if cursor.description else None
            except pytds.tds_base.Error as error:
                # This client gives the last error's number and the texts of all: the specific one comes first.
                raise Refused(number_in(str(error)) or getattr(error, "number", 0))
            return "" if row is None else str(row[0])

    return ask


def with_mssql_python(lab):
    try:
        import mssql_python
    except ImportError:
        return None
    connection = mssql_python.connect(
        f"SERVER={lab.host},{lab.port};UID={lab.user};PWD={lab.password};DATABASE=master;"
        "Encrypt=yes;TrustServerCertificate=yes;", autocommit=True)

    def ask(sql):
        cursor = connection.cursor()
        try:
            cursor.execute(sql)
            row = cursor.fetchone() if cursor.description else None
        except mssql_python.Error as error:
            raise Refused(number_in(str(error)))
        finally:
            cursor.close()
        return "" if row is None else str(row[0])

    return ask


def number_in(text):
    """This driver gives texts and SQLSTATEs, no numbers: the lab's own texts tell which one it was."""
    for number, part in ((208, "Invalid object name"), (3201, "Cannot open backup device"), (927, "middle of a restore")):
        if part in text:
            return number
    return 0


def with_tedious(lab, modules):
    node = shutil.which("node")
    if not node or not modules:
        return None

    def ask(sql):
        done = subprocess.run(
            [node, str(HERE / "tedious.js"), lab.host, str(lab.port), lab.user], capture_output=True, text=True,
            timeout=60, input=json.dumps({"password": lab.password, "sql": sql}), env={**os.environ, "NODE_PATH": modules})
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip()[-300:])
        answer = json.loads(done.stdout)
        if answer["number"]:
            raise Refused(answer["number"])
        return "" if answer["value"] is None else str(answer["value"])

    return ask


def put(name, ask):
    """Asks one client everything; (passed, failed)."""
    passed = failed = 0

    def told(holds, what, got):
        nonlocal passed, failed
        passed, failed = passed + holds, failed + (not holds)
        print(f"  {'ok' if holds else 'NOT OK'}: {name}: {what}" + ("" if holds else f": got {got!r}"))

    for what, sql, wanted in QUESTIONS:
        try:
            got = ask(sql)
            told(got == wanted if wanted is not None else bool(got), what, got)
        except Exception as error:
            told(False, what, error)
    for what, sql, number in REFUSALS:
        try:
            told(False, what, ask(sql))
        except Refused as refusal:
            told(refusal.number == number, what, refusal.number)
        except Exception as error:
            told(False, what, error)
    return passed, failed


def main():
    modules = sys.argv[3] if len(sys.argv) > 3 else None
    lab = Lab(sys.argv[1])
    passed = failed = skipped = 0
    try:
        makers = [("tsql", with_tsql), ("python-tds", with_python_tds), ("mssql-python", with_mssql_python),
                  ("tedious", lambda lab: with_tedious(lab, modules))]
        for name, make in makers:
            try:
                ask = make(lab)
            except Exception as error:
                print(f"  NOT OK: {name}: connecting: {error}")
                failed += 1
                continue
            if ask is None:
                print(f"  not run: {name} cannot be had here")
                skipped += 1
                continue
            good, bad = put(name, ask)
            passed, failed = passed + good, failed + bad
    finally:
        lab.stop()
    if passed == 0:
        print("  no client was run")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
