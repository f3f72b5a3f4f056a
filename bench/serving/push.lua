-- wrk sends the deliveries of a file in turn: a signature and a body on each line.
local deliveries, at = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local signature, body = line:match("^(%S+) (.*)$")
    local headers = {["x-hub-signature-256"] = signature, ["content-type"] = "application/json"}
    deliveries[#deliveries + 1] = wrk.format("POST", "/webhooks/facebook", headers, body)
  end
end

function request()
  at = at % #deliveries + 1
  return deliveries[at]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %d %.3f %.3f %.3f\n",
    summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
