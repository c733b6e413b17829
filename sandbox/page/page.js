// The page of the sandbox. It uses the admin API next to it, and inserts everything that it reads as text.
"use strict";

const POLL_MS = 1000;

const FAULTS = [
  ["reset after it is carried out: the answer is lost", { kind: "reset", when: "after" }],
  ["reset before it is carried out", { kind: "reset", when: "before" }],
  ["no answer at all, not carried out", { kind: "hang" }],
  ["no answer at all, but carried out", { kind: "hang", when: "after" }],
  ["503, not carried out", { kind: "status", status: 503 }],
  ["503, but carried out", { kind: "status", status: 503, when: "after" }],
  ["502 with a gateway's HTML page", { kind: "status", status: 502, body: "html" }],
  ["429 with the vendor's headers", { kind: "rate_limited" }],
  ["429 without headers and body", { kind: "rate_limited", headers: false, body: "empty" }],
  ["401 for valid credentials", { kind: "expired_token" }],
  ["409 because of a lock", { kind: "locked" }],
  ["200 with an HTML page", { kind: "html_body" }],
  ["a wrong Content-Type", { kind: "wrong_content_type" }],
  ["the body arrives slowly", { kind: "slow_body" }],
  ["the body breaks off", { kind: "truncated_body" }],
  ["a Content-Length that is too large", { kind: "wrong_length", by: 10 }],
  ["carried out twice", { kind: "duplicate" }],
  ["reset now, carried out 2 s later", { kind: "late_commit", delay_ms: 2000 }],
  ["the answer is about another person", { kind: "another_person" }],
  ["the answer has another id", { kind: "another_id" }],
  ["lists: the next page is the same one", { kind: "next_repeats" }],
  ["lists: the next page is on another host", { kind: "next_elsewhere" }],
  ["lists: an empty page in between", { kind: "empty_page" }],
  ["lists: filters have no effect", { kind: "filters_ignored" }],
];

const OPERATIONS = [
  ["", "any operation"],
  ["create", "create an invitation"],
  ["get", "get an invitation"],
  ["list", "list invitations"],
  ["delete", "delete an invitation"],
  ["list_members", "list members"],
  ["get_member", "get a member"],
  ["update_member", "update a member"],
  ["delete_member", "delete a member"],
  ["list_role_bindings", "list role bindings"],
  ["create_role_binding", "create a role binding"],
  ["delete_role_binding", "delete a role binding"],
  ["roles", "list roles"],
  ["exchange", "exchange a token"],
];

// ---- Faults, limits, clock

let faults = { script: [] };

function ruleText(rule) {
  const api = rule.provider ? ` on ${API_NAMES[rule.provider]}` : "";
  const from = rule.nth > 1 ? `, from request ${rule.nth} on` : "";
  const many = rule.times === 0 ? ", every time" : rule.times > 1 ? `, ${rule.times} times` : ", once";
  return `${rule.operation ?? "any operation"}${api}${from}${many}`;
}

async function showFaults() {
  faults = await call("GET", "faults");
  const items = faults.script.map((rule, index) => {
    const label = { type: "button", "aria-label": `Remove the fault ${faultText(rule.fault)}` };
    const button = element("button", { text: "Remove", className: "quiet small", attributes: label });
    button.addEventListener("click", () => act("Remove the fault", async () => {
      const current = await call("GET", "faults");
      const same = JSON.stringify(current.script[index]) === JSON.stringify(rule);
      if (!same) throw new Error("the faults have changed; try again");
      current.script.splice(index, 1);
      await call("PUT", "faults", current);
    }));
    return element("li", {}, badge(faultText(rule.fault), "warn"), element("span", { text: ruleText(rule) }), button);
  });
  if (faults.random) {
    const { rate, mix } = faults.random;
    items.push(element("li", { text: `at random: ${mix.map((it) => it.fault.kind).join(", ")}, rate ${rate}` }));
  }
  if (!items.length) items.push(element("li", { text: "No fault is set.", className: "none" }));
  byId("faults").replaceChildren(...items);
  fill("list-lag", faults.list_lag?.for_ms ?? 0);
  fill("uniqueness-lag", faults.uniqueness_lag?.for_ms ?? 0);
  fill("skew", faults.clock_skew_seconds ?? 0);
}

// Shows a value, unless a person is typing another one.
function fill(id, value) {
  if (document.activeElement !== byId(id)) byId(id).value = value;
}

let limits = {};
let quota = {};

async function showLimits() {
  [limits, quota] = await Promise.all([call("GET", "limits"), call("GET", "quota")]);
  if (document.activeElement.matches("#limits-form input")) return;
  for (const provider of Object.keys(API_NAMES)) {
    const limit = limits[provider];
    byId(`limit-${provider}`).checked = Boolean(limit);
    if (limit) {
      byId(`limit-${provider}-requests`).value = limit.requests;
      byId(`limit-${provider}-seconds`).value = limit.window_ms / 1000;
    }
  }
  byId("quota").checked = Boolean(quota.confluent);
  if (quota.confluent) byId("quota-invitations").value = quota.confluent.invitations_per_org;
}

const number = (id) => Number(byId(id).value);

function limitOf(provider) {
  if (!byId(`limit-${provider}`).checked) return null;
  // What the page has no field for stays as it is.
  return {
    ...limits[provider],
    requests: number(`limit-${provider}-requests`),
    window_ms: Math.round(number(`limit-${provider}-seconds`) * 1000),
  };
}

function showClock(status) {
  byId("now").textContent = `${time(status.now)} UTC`;
  byId("advanced").textContent =
    status.advanced_seconds ? `${duration(status.advanced_seconds)} ahead of this machine` : "as on this machine";
}

// ---- The loop

let run = null;
let revision = null;
let filterShown = null;
let isOffline = false;
let queue = Promise.resolve();

// Reads what has changed. One reading follows another, so that an older one never overwrites a newer one.
function refresh() {
  queue = queue.then(read).catch((error) => {
    isOffline = true;
    say(`The sandbox does not answer: ${error.message}`, true);
  });
  return queue;
}

async function read() {
  const status = await call("GET", "status");
  if (isOffline) {
    isOffline = false;
    say("The sandbox answers again");
  }
  byId("url").textContent = status.url;
  showClock(status);
  if (status.run !== run) {
    clearLedger();
    run = status.run;
    revision = null;
  }
  const pending = [...rows.values()].some((it) => isPending(it.entry));
  if (byId("follow").checked && (status.sequence !== lastSequence || pending || revision === null)) {
    await showLedger();
  }
  const filter = byId("people-filter").value.trim();
  const minute = status.now.slice(0, 16);
  // Invitations also expire by time alone.
  const shown = `${filter} ${minute}`;
  if (status.revision !== revision || shown !== filterShown) {
    await Promise.all([showPeople(status.organizations), showFaults(), showLimits()]);
    filterShown = shown;
    revision = status.revision;
  }
}

function onSubmit(id, what, work) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act(what, work);
  });
}

const advance = (seconds) => () => call("POST", "clock", { advance_seconds: seconds });

function start() {
  FAULTS.forEach(([text], index) =>
    byId("fault-kind").append(element("option", { text, attributes: { value: index } })));
  OPERATIONS.forEach(([value, text]) =>
    byId("fault-operation").append(element("option", { text, attributes: { value } })));
  for (const button of document.querySelectorAll("[data-advance]")) {
    const seconds = Number(button.dataset.advance);
    button.addEventListener("click", () => act(`Advance the clock by ${duration(seconds)}`, advance(seconds)));
  }
  onSubmit("clock-form", "Advance the clock", () => advance(number("clock-minutes") * 60)());
  onSubmit("fault-form", "Add the fault", async () => {
    const current = await call("GET", "faults");
    const rule = {
      nth: number("fault-nth"),
      times: number("fault-times"),
      fault: FAULTS[number("fault-kind")][1],
    };
    if (byId("fault-provider").value) rule.provider = byId("fault-provider").value;
    if (byId("fault-operation").value) rule.operation = byId("fault-operation").value;
    await call("PUT", "faults", { ...current, script: [...current.script, rule] });
  });
  onSubmit("lag-form", "Set lags and skew", async () => {
    const lag = (id) => (number(id) ? { for_ms: number(id) } : null);
    await call("PUT", "faults", {
      ...(await call("GET", "faults")),
      list_lag: lag("list-lag"),
      uniqueness_lag: lag("uniqueness-lag"),
      clock_skew_seconds: number("skew"),
    });
  });
  onSubmit("limits-form", "Set the limits", async () => {
    const invitations = number("quota-invitations");
    await call("PUT", "limits", { confluent: limitOf("confluent"), clickhouse: limitOf("clickhouse") });
    const quotaOf = byId("quota").checked ? { ...quota.confluent, invitations_per_org: invitations } : null;
    await call("PUT", "quota", { confluent: quotaOf });
  });
  byId("faults-clear").addEventListener("click", () => act("Clear the faults", () => call("DELETE", "faults")));
  byId("refuse").addEventListener("click", () =>
    act("Refuse connections", () => call("POST", "refuse", { for_ms: 5000 })));
  byId("reset").addEventListener("click", () => {
    if (confirm("Go back to the state at the start? People, ledger, faults, limits and clock are reset.")) {
      act("Reset", () => call("POST", "reset"));
    }
  });
  byId("people-filter").addEventListener("input", refresh);
  byId("ledger-filter").addEventListener("input", filterRows);
  byId("follow").addEventListener("change", refresh);
  const poll = () => refresh().finally(() => setTimeout(poll, POLL_MS));
  poll();
}

start();
