// The page of the sandbox. It uses the admin API next to it, and inserts everything that it reads as text.
"use strict";

const POLL_MS = 1000;
const MAX_ROWS = 300;
const MAX_PEOPLE = 100;
const API_NAMES = { confluent: "Confluent Cloud", clickhouse: "ClickHouse Cloud" };

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

// Faults after which no answer comes.
const UNANSWERED = ["refuse", "reset", "hang", "late_commit"];

const byId = (id) => document.getElementById(id);

// An element with text, children and attributes. Text is never parsed as HTML.
function element(name, { text, className, attributes = {} } = {}, ...children) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function cell(className, ...children) {
  return element("td", { className }, ...children);
}

const badge = (text, kind = "") => element("span", { text, className: `badge ${kind}` });

// ---- Requests to the admin API

async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const text = await response.text();
  const json = text ? JSON.parse(text) : null;
  if (!response.ok) throw new Error(json?.error ?? `status ${response.status}`);
  return json;
}

function say(text, isFailure = false) {
  const message = byId("message");
  message.textContent = text;
  message.className = isFailure ? "failure" : "";
}

// Runs what a person asked for, tells the outcome, and looks for the change at once.
async function act(what, work) {
  try {
    await work();
    say(`${what}: done`);
  } catch (error) {
    say(`${what}: ${error.message}`, true);
  }
  await refresh();
}

// ---- Times

const time = (text) => new Date(text).toISOString().slice(0, 19).replace("T", " ");
const timeOfDay = (text) => new Date(text).toISOString().slice(11, 23);

function duration(seconds) {
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const parts = [];
  for (const [name, length] of units) {
    const count = Math.floor(seconds / length);
    seconds %= length;
    if (count) parts.push(`${count} ${name}${count === 1 ? "" : "s"}`);
  }
  return parts.slice(0, 2).join(" ") || "nothing";
}

// ---- People

const STATUS_KINDS = { sent: "info", staged: "warn", accepted: "good", expired: "bad", deactivated: "" };

function invitationRow(invitation) {
  const row = element("tr");
  row.append(
    cell("", element("span", { text: invitation.email })),
    cell("tight", badge(invitation.status, STATUS_KINDS[invitation.status])),
    cell("tight mono", element("span", { text: time(invitation.expires_at).slice(0, 16) })),
  );
  const action = cell("tight action");
  if (invitation.status === "sent") {
    const { provider, organization, email } = invitation;
    const label = { "aria-label": `Accept the invitation of ${email}`, type: "button" };
    const button = element("button", { text: "Accept", className: "small accept", attributes: label });
    button.addEventListener("click", () =>
      act(`Accept ${email}`, () => call("POST", "accept", { provider, organization, email })));
    action.append(button);
  }
  row.append(action);
  return row;
}

function memberRow(member) {
  const row = element("tr");
  row.append(
    cell("", element("span", { text: member.email })),
    cell("", element("span", { text: member.name })),
    cell("tight mono", element("span", { text: member.id })),
  );
  return row;
}

function table(caption, heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { text, attributes: { scope: "col" } })));
  return element("table", {},
    element("caption", { text: caption, className: "hidden" }),
    element("thead", {}, head),
    element("tbody", {}, ...rows));
}

// A table, or why there is none.
function listing(name, caption, heads, { rows, total }, toRow) {
  const title = `${name} (${total > rows.length ? `the latest ${rows.length} of ${total}` : total})`;
  const parts = [element("h3", { text: title })];
  if (rows.length) parts.push(table(caption, heads, rows.slice().reverse().map(toRow)));
  return parts;
}

async function peopleOf({ provider, id }, index) {
  const selection = new URLSearchParams({ provider, organization: id, limit: MAX_PEOPLE });
  const part = byId("people-filter").value.trim();
  if (part) selection.set("email", part);
  const [invited, joined] = await Promise.all([
    call("GET", `invitations?${selection}`),
    call("GET", `members?${selection}`),
  ]);
  const name = API_NAMES[provider] ?? provider;
  const heading = element("p", {}, element("strong", { text: name }), " ", element("code", { text: id }));
  return element("section", { attributes: { "aria-label": `${name}, organisation ${index + 1}` } },
    heading,
    ...listing("Invitations", `Invitations of ${name}, the latest first`,
      ["Address", "Status", "Expires (UTC)", ""], { rows: invited.invitations, total: invited.total }, invitationRow),
    ...listing("Members", `Members of ${name}, the latest first`,
      ["Address", "Name", "Id"], { rows: joined.members, total: joined.total }, memberRow));
}

async function showPeople(organizations) {
  const sections = await Promise.all(organizations.map(peopleOf));
  // A person who uses the keyboard stays at the button in the same place.
  const buttons = () => [...document.querySelectorAll("#people button")];
  const focused = buttons().indexOf(document.activeElement);
  byId("people").replaceChildren(...sections);
  if (focused >= 0) (buttons()[focused] ?? byId("people-filter")).focus();
}

// ---- Ledger

const rows = new Map();
const requestsById = new Map();
let lastSequence = 0;

// A fault in few words: what is the default of most faults is left out.
function faultText(fault) {
  const { kind, ...members } = fault;
  const shown = [];
  for (const [name, value] of Object.entries(members)) {
    if (name === "status" || name === "when") shown.push(String(value));
    else if (!(name === "headers" && value === true) && !(name === "body" && value === "vendor")) {
      shown.push(`${name} ${typeof value === "object" ? JSON.stringify(value) : value}`);
    }
  }
  return shown.length ? `${kind} (${shown.join(", ")})` : kind;
}

function statusBadge(entry) {
  if (entry.status === null) {
    return entry.fault && UNANSWERED.includes(entry.fault.kind) ? badge("no answer", "bad") : badge("…");
  }
  const kinds = { 2: "good", 3: "warn", 4: "warn", 5: "bad" };
  return badge(String(entry.status), kinds[Math.floor(entry.status / 100)]);
}

const isPending = (entry) =>
  entry.status === null && !(entry.fault && UNANSWERED.includes(entry.fault.kind));

function insertRow(sequence, made) {
  // The latest comes first; what arrives late goes where it belongs.
  const later = [...rows.keys()].filter((it) => it > sequence).sort((a, b) => a - b)[0];
  if (later === undefined) byId("rows").prepend(made.row);
  else (rows.get(later).detail ?? rows.get(later).row).after(made.row);
  rows.set(sequence, made);
  made.row.classList.add("fresh");
  while (rows.size > MAX_ROWS) {
    const oldest = Math.min(...rows.keys());
    rows.get(oldest).detail?.remove();
    rows.get(oldest).row.remove();
    requestsById.delete(rows.get(oldest).entry.request_id);
    rows.delete(oldest);
  }
}

// A uuid in a row is shortened; the row's details have all of it.
const UUID = /\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;

const requestLine = ({ method, path, query }) => `${method} ${query ? `${path}?${query}` : path}`;

function requestRow(entry) {
  const asked = requestLine(entry);
  const button = element("button", {
    text: asked.replace(UUID, "$1…"),
    className: "asked",
    attributes: { type: "button", "aria-expanded": "false", title: asked },
  });
  const changes = element("span", { className: "sub changes" });
  const made = { entry, row: element("tr"), button, changes, detail: null };
  made.status = cell("tight");
  made.row.append(
    cell("tight number", String(entry.sequence)),
    cell("tight mono", element("span", { text: timeOfDay(entry.at) })),
    cell("", button, element("span", { text: entry.operation ?? "no operation of either API", className: "sub" }), changes),
    made.status,
    cell("", ...(entry.fault ? [badge(faultText(entry.fault), "warn")] : [])),
  );
  button.addEventListener("click", () => toggle(made));
  return made;
}

function showRequest(entry) {
  let made = rows.get(entry.sequence);
  if (!made) {
    made = requestRow(entry);
    insertRow(entry.sequence, made);
    requestsById.set(entry.request_id, made);
  }
  made.entry = entry;
  made.status.replaceChildren(statusBadge(entry));
}

function showCommit(commit) {
  const words = `${commit.operation} ${commit.id.replace(UUID, "$1…")}${commit.email ? ` ${commit.email}` : ""}`;
  const request = requestsById.get(commit.request_id);
  if (request) {
    const known = request.changes.textContent;
    const line = `→ ${words}`;
    if (!known.includes(line)) request.changes.textContent = known ? `${known}, ${line}` : line;
    return;
  }
  if (rows.has(commit.sequence)) return;
  const row = element("tr");
  row.append(
    cell("tight number", String(commit.sequence)),
    cell("tight mono", element("span", { text: timeOfDay(commit.at) })),
    cell("", element("span", { text: `→ ${words}` }),
      element("span", { text: `${API_NAMES[commit.provider]}, from outside the API`, className: "sub" })),
    cell("tight"), cell(""),
  );
  insertRow(commit.sequence, { entry: { ...commit, status: 0 }, row, detail: null });
}

function block(title, text) {
  return [element("h4", { text: title }), element("pre", { text })];
}

function bodyText(body) {
  if (!body) return "(none is kept)";
  if (!body.bytes) return "(empty)";
  let text = body.text;
  try {
    text = JSON.stringify(JSON.parse(body.text), null, 2);
  } catch {
    // Not JSON, or only its beginning: shown as it is.
  }
  const kept = new TextEncoder().encode(body.text).length;
  return body.bytes > 16384 && kept < body.bytes ? `${text}\n… (${body.bytes} bytes)` : text;
}

const headerText = (headers) =>
  Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`).join("\n") || "(none)";

async function toggle(made) {
  if (made.detail) {
    made.detail.remove();
    made.detail = null;
    made.button.setAttribute("aria-expanded", "false");
    return;
  }
  const inside = element("td", { text: "…", attributes: { colspan: "5" } });
  made.detail = element("tr", { className: "detail" }, inside);
  made.button.setAttribute("aria-expanded", "true");
  made.row.after(made.detail);
  try {
    const exchange = await call("GET", `exchanges/${made.entry.sequence}`);
    inside.replaceChildren(
      ...block("Request", `${requestLine(exchange.request)}\nid ${exchange.request.request_id}`),
      ...block("Request headers", headerText(exchange.request.headers)),
      ...block("Request body", bodyText(exchange.request_body)),
      ...(exchange.response_headers
        ? [...block("Answer headers", headerText(exchange.response_headers)),
           ...block("Answer body", bodyText(exchange.response_body))]
        : block("Answer", "(none)")),
    );
  } catch (error) {
    inside.textContent = `cannot read the request: ${error.message}`;
  }
}

function filterRows() {
  const words = byId("ledger-filter").value.trim().toLowerCase();
  for (const { row, detail, button } of rows.values()) {
    const isHidden = words !== "" && !`${row.textContent} ${button?.title ?? ""}`.toLowerCase().includes(words);
    row.hidden = isHidden;
    if (detail) detail.hidden = isHidden;
  }
}

async function showLedger() {
  const pending = [...rows.values()].map((it) => it.entry).filter(isPending).map((it) => it.sequence);
  const after = Math.min(lastSequence, ...pending.map((sequence) => sequence - 1));
  const ledger = await call("GET", `ledger?after=${after}&limit=${MAX_ROWS}`);
  ledger.requests.forEach(showRequest);
  ledger.commits.forEach(showCommit);
  const seen = [...ledger.requests, ...ledger.commits].map((it) => it.sequence);
  lastSequence = Math.max(lastSequence, ...seen);
  byId("ledger-empty").hidden = rows.size > 0;
  byId("requests").hidden = rows.size === 0;
  byId("ledger-note").textContent =
    rows.size === MAX_ROWS ? `The page shows the latest ${MAX_ROWS}; ledger?after=0 has all that are kept.` : "";
  filterRows();
}

function clearLedger() {
  rows.clear();
  requestsById.clear();
  lastSequence = 0;
  byId("rows").replaceChildren();
}

// ---- Faults, limits, clock

let faults = { script: [] };

function ruleText(rule) {
  const api = rule.provider ? ` on ${API_NAMES[rule.provider]}` : "";
  const from = rule.nth > 1 ? `, from the ${rule.nth}. on` : "";
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
