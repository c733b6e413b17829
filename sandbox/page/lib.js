// What the parts of the page share: elements, requests to the admin API, times.
"use strict";

const API_NAMES = { confluent: "Confluent Cloud", clickhouse: "ClickHouse Cloud" };

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
