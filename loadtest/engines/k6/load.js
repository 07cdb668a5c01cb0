// The load of a plan, which stands as JSON in the file that LOADPROOF_LOAD names. Nothing is pasted in here.

import exec from "k6/execution";
import http from "k6/http";
import { check } from "k6";
import { SharedArray } from "k6/data";
import { Trend } from "k6/metrics";

const load = new SharedArray("load", () => [JSON.parse(open(__ENV.LOADPROOF_LOAD))])[0];
const order = new SharedArray("order", () => JSON.parse(open(__ENV.LOADPROOF_LOAD)).order);
const WHITE_SPACE_BYTES = 65536;
const answers = new Trend("loadproof_body_bytes");
const windows = new Trend("loadproof_window_begins");
const failures = new Trend("loadproof_failed_after_ms");

// Which status is an error is judged where samples are made.
http.setResponseCallback(null);

export const options = { scenarios: load.scenarios, setupTimeout: "1s" };

export function warmUp() {
  send(load.requests[exec.vu.idInTest % load.requests.length]);
}

export default function () {
  const number = exec.scenario.iterationInTest;
  if (number === 0) {
    windows.add(0);
  }
  send(load.requests[order[number % order.length]]);
}

function send(request) {
  const startedMs = Date.now();
  const response = http.get(request.url, {
    headers: { ...load.headers, Host: request.host },
    redirects: 0,
    responseType: "binary",
    tags: { name: request.host },
    timeout: load.timeout_ms,
  });
  if (response.status === 0) {
    failures.add(Date.now() - startedMs);
    return;
  }
  const bodyBytes = response.body ? response.body.byteLength : 0;
  answers.add(bodyBytes);
  if (!isBody(response.body, bodyBytes, request.body)) {
    check(response, { "right body": () => false });
  }
}

// Bodies are compared byte by byte: `expected` has one character for each, white space around does not count.
function isBody(buffer, bodyBytes, expected) {
  if (bodyBytes < expected.length || bodyBytes > expected.length + WHITE_SPACE_BYTES) {
    return false;
  }
  const bytes = buffer ? new Uint8Array(buffer) : [];
  const text = bodyBytes > 4096 ? longText(bytes) : String.fromCharCode.apply(null, bytes);
  return text === expected || text.replace(/^[ \t\n\r\v\f]+|[ \t\n\r\v\f]+$/g, "") === expected;
}

function longText(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + 4096));
  }
  return text;
}
