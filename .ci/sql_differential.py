"""Random conditions, answered by this crate and by DuckDB over the same rows.

A difference in what SELECT returns or DELETE deletes is printed and fails the run. What either refuses is counted.
"""

import collections
import json
import random
import subprocess
import sys

import duckdb

PROGRAM, SEED, COUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
NOW = "2026-03-01 12:00:00"

EMAILS = ["ann@x.io", "Ann@x.io", "bob@x.io", "o'neil@x.io", "a_b%c@y.io", "zoe@y.io"]
STATUSES = ["sent", "expired", "accepted", None]
USERS = ["u-1", "U-1", "u-2", None]
TEXT = ["email", "status", "auth_type", '"user"', "creator"]
TIMES = ["created_at", "expires_at", "accepted_at"]
LEAVERS = [("ann@x.io", "sent", 1), ("bob@x.io", None, 2), (None, "expired", None), ("zoe@y.io", "sent", 40)]


def rows(rng):
    made = []
    for number in range(24):
        day = lambda: None if rng.random() < 0.3 else f"2026-0{rng.randint(1, 2)}-{rng.randint(1, 28):02} {rng.randint(0, 23):02}:00:00"
        made.append({
            "id": f"i-{number}",
            "email": rng.choice(EMAILS),
            "status": rng.choice(STATUSES),
            "auth_type": rng.choice(["local", "sso", None]),
            "user": rng.choice(USERS),
            "creator": rng.choice(USERS),
            "created_at": day(),
            "expires_at": day(),
            "accepted_at": day(),
        })
    return made


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def pick(self, *choices):
        return self.rng.choice(choices)

    def literal(self):
        text = self.pick(*EMAILS, "sent", "expired", "accepted", "local", "sso", "u-1", "u-2", "", "i-3")
        return "NULL" if self.rng.random() < 0.12 else "'" + text.replace("'", "''") + "'"

    def column(self, table="c"):
        name = self.pick(*TEXT) if table == "c" else self.pick("email", "status")
        return f"{table}.{name}"

    def text(self, depth=0, table="c"):
        kind = self.rng.random()
        if kind < 0.6 or depth > 2:
            return self.column(table)
        if kind < 0.7:
            return self.literal()
        one, other = self.text(depth + 1, table), self.text(depth + 1, table)
        return self.pick(
            f"coalesce({one}, {other})",
            f"nullif({one}, {other})",
            f"lower({one})",
            f"{one} || {other}",
            f"CASE WHEN {self.column(table)} = {self.literal()} THEN {one} ELSE {other} END",
            f"CASE {one} WHEN {self.literal()} THEN {other} END",
            f"replace({one}, 'a', 'b')",
            f"substr({one}, 1, 3)",
            "(SELECT max(s.email) FROM l s WHERE s.days < 10)",
            "(SELECT min(s.status) FROM l s WHERE s.email = c.email)" if table == "c" else self.literal(),
        )

    def time(self):
        return self.pick(*[f"c.{name}" for name in TIMES], f"TIMESTAMP '{NOW}'", f"c.created_at + {self.interval()}")

    def interval(self):
        number = self.rng.randint(-3, 40)
        unit = self.pick("day", "hour", "minute", "week", "month", "day")
        return f"INTERVAL '{number} {unit}'"

    def length(self):
        return self.pick(f"({self.time()} - {self.time()})", self.interval())

    def compare(self):
        return self.pick("=", "<>", "<", "<=", ">", ">=")

    def subquery(self, column=None):
        column = column or self.pick("s.email", "s.status")
        where = self.pick(
            "", " WHERE s.days = 1", " WHERE s.days > 100", " WHERE s.email IS NOT NULL", " WHERE s.status = c.status",
            " WHERE s.email = c.email OR s.days IS NULL", " WHERE " + self.text(1, "s") + " = " + self.literal(),
        )
        table = self.pick("l s", "l s", "c s") if "days" not in where else "l s"
        return f"(SELECT {column} FROM {table}{where})"

    def leaf(self, place):
        """A condition without AND and OR. `place` says what a subquery may be there: see `condition`."""
        negated = self.pick("", "", "NOT ")
        # A few of what the crate refuses there: a refusal that is lost is a wrong answer.
        anything = self.rng.random() < 0.03
        within, alone = anything or place != "inner", anything or place == "and"
        negated_in = negated if alone else ""
        quantified = self.pick(*[("=", "ANY"), ("=", "SOME")] * within, *[("<>", "ALL")] * alone, *[(self.compare(), "ALL")] * anything) if within else None
        choices = [
            (6, lambda: f"{self.text()} {self.compare()} {self.text()}"),
            (4, lambda: f"{self.text()} {negated}IN ({', '.join(self.literal() for _ in range(self.rng.randint(1, 4)))})"),
            (3, lambda: f"{self.text()} {negated}BETWEEN {self.text()} AND {self.text()}"),
            (3, lambda: f"{self.column()} {negated}{self.pick('LIKE', 'ILIKE')} {self.pick(chr(39) + '%x.io' + chr(39), chr(39) + 'a_n%' + chr(39), self.column(), 'NULL')}"),
            (3, lambda: f"{self.text()} IS {negated}NULL"),
            (4, lambda: f"({self.text()} IS {negated}DISTINCT FROM {self.text()})"),
            (2, lambda: f"({self.condition(3, 'inner')}) IS {negated}{self.pick('TRUE', 'FALSE', 'NULL')}"),
            (5, lambda: f"{self.length()} {self.compare()} {self.length()}"),
            (2, lambda: f"{self.length()} {negated}BETWEEN {self.length()} AND {self.length()}"),
            (2, lambda: f"{self.time()} {self.compare()} {self.time()}"),
            (2, lambda: f"{self.time()} {negated}BETWEEN {self.time()} AND {self.time()}"),
            (5 * within, lambda: f"{self.text()} {negated_in}IN {self.subquery()}"),
            (3 * bool(quantified), lambda: f"{self.text()} {' '.join(quantified)} {self.subquery()}"),
            (2, lambda: f"{negated}EXISTS {self.subquery('1')}"),
            (2, lambda: f"{negated}EXISTS (SELECT 1 FROM l s WHERE s.email = c.email{self.pick('', ' AND s.status IS NULL', ' OR s.days > 3')})"),
            (2, lambda: f"(SELECT count(*) FROM l s WHERE s.email = c.email) {self.compare()} {self.rng.randint(0, 2)}"),
            (2, lambda: f"(SELECT max(s.email) FROM l s WHERE s.status = c.status) {self.compare()} {self.text()}"),
            (2, lambda: f"CASE WHEN {self.condition(3, 'inner')} THEN {self.condition(3, 'inner')} ELSE {self.condition(3, 'inner')} END"),
            (1, lambda: "(SELECT bool_or(s.email = c.email) FROM l s)"),
            (1, lambda: f"coalesce({self.condition(3, 'inner')}, {self.pick('true', 'false')})"),
            (1, lambda: self.pick("true", "false", "NULL")),
            (1 * within, lambda: f"{self.text()} IN (SELECT s.email FROM l s {self.pick('UNION', 'INTERSECT', 'EXCEPT', 'UNION ALL')} SELECT t.status FROM l t)"),
            (2 * within, lambda: f"c.id IN (SELECT s.id FROM c s {self.pick('LEFT JOIN', 'JOIN', 'RIGHT JOIN', 'FULL JOIN')} l t ON s.email = t.email{self.pick('', ' AND t.days > 1', ' OR t.days = 2')} WHERE {self.pick('t.email IS NULL', 't.days > 0', 's.status IS NULL')})"),
            (1 * within, lambda: f"c.id IN (SELECT s.id FROM c s ORDER BY s.{self.pick(*TIMES)} {self.pick('ASC', 'DESC')} NULLS {self.pick('FIRST', 'LAST')}, s.id LIMIT {self.rng.randint(0, 9)})"),
            (1 * within, lambda: f"c.status IN (SELECT s.status FROM c s GROUP BY s.status HAVING count(*) {self.compare()} {self.rng.randint(1, 9)})"),
        ]
        weights, makers = zip(*choices)
        return self.rng.choices(makers, weights)[0]()

    def condition(self, depth=0, place="and"):
        """A condition. `place` is `and` for a term of WHERE, alone or beside AND, where `NOT IN (SELECT …)` may be;
        `or` for one beside OR, where `IN (SELECT …)` may be; and `inner` elsewhere."""
        if depth > 2 or self.rng.random() < 0.3:
            return self.leaf(place)
        operators = [self.pick("AND", "OR") for _ in range(self.rng.randint(1, 2))]
        inside = "or" if "OR" in operators and place == "and" else place
        text = ""
        for operator in ["", *operators]:
            form = self.pick("{}", "{}", "({})", "NOT ({})", "NOT {}")
            part = self.condition(depth + 1, "inner" if "NOT" in form else inside)
            text += f" {operator} " * bool(operator) + form.format(part)
        return text


class Program:
    def __init__(self, data):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask({"rows": data, "leavers": LEAVERS})

    def ask(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the program ended at {message}")
        return json.loads(line)


def reference(data):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        'CREATE TABLE c (id TEXT, email TEXT, status TEXT, auth_type TEXT, "user" TEXT, creator TEXT, '
        "created_at TIMESTAMP, expires_at TIMESTAMP, accepted_at TIMESTAMP)"
    )
    connection.executemany("INSERT INTO c VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [list(row.values()) for row in data])
    connection.execute("CREATE TABLE l (email TEXT, status TEXT, days BIGINT)")
    connection.executemany("INSERT INTO l VALUES (?, ?, ?)", LEAVERS)
    return connection


def main():
    rng = random.Random(SEED)
    counts = collections.Counter()
    reasons = collections.Counter()
    different = []
    for round_ in range((COUNT + 199) // 200):
        data = rows(rng)
        ours, theirs = Program(data), reference(data)
        for _ in range(min(200, COUNT - round_ * 200)):
            condition = Generator(rng).condition()
            query = f"SELECT c.id FROM c WHERE {condition}"
            try:
                expected = sorted(row[0] for row in theirs.execute(query).fetchall())
            except duckdb.Error:
                counts["refused by DuckDB"] += 1
                continue
            # In this crate, times have a time zone.
            for kind, text in [("select", query), ("delete", f"DELETE FROM c WHERE {condition}")]:
                answer = ours.ask({kind: text})
                if "error" in answer:
                    counts[f"{kind} refused"] += 1
                    reasons[answer["error"][:60]] += 1
                elif sorted(answer["ids"]) == expected:
                    counts[f"{kind} right"] += 1
                    counts[f"{kind} of some rows"] += bool(expected) and len(expected) < len(data)
                else:
                    counts[f"{kind} DIFFERENT"] += 1
                    different.append((text, expected, sorted(answer["ids"])))
        ours.process.stdin.close()
        ours.process.wait()
    for text, expected, seen in different[:10]:
        print(f"{text}\n  DuckDB:     {expected}\n  this crate: {seen}\n")
    for reason, count in reasons.most_common(12):
        print(f"{count:6} {reason}")
    print(", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    # A run in which nothing is compared shows nothing.
    enough = all(counts[f"{kind} of some rows"] * 10 > COUNT for kind in ["select", "delete"])
    sys.exit(0 if enough and not different else 1)


main()
