-- Sends the file that the variable BODY names, again and again, and tells at the end what came of it.

wrk.method = "POST"
local file = assert(io.open(os.getenv("BODY"), "rb"))
wrk.body = file:read("*a")
file:close()

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'figures {"answered": %d, "seconds": %.3f, "refused": %d, "lost": %d, "p50_ms": %.2f, "p99_ms": %.2f, "most_ms": %.2f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
