// The ledger: requests as they arrive, and what they changed.
"use strict";

const MAX_ROWS = 300;

// Faults after which no answer comes.
const UNANSWERED = ["refuse", "reset", "hang", "late_commit"];

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
