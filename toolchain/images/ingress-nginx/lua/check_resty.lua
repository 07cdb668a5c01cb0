-- Checks of the libraries beside this file that need no request, run while the image is built.
local chash = require("resty.chash")
local cookie = require("resty.cookie")
local roundrobin = require("resty.roundrobin")

local function counted(picks, pick)
  local counts = {}
  for _ = 1, picks do
    local name = pick()
    counts[name] = (counts[name] or 0) + 1
  end
  return counts
end

local turns = roundrobin:new({ a = 3, b = 1 })
local counts = counted(400, function() return turns:find() end)
assert(counts.a == 300 and counts.b == 100, "round robin does not follow the weights")
turns:reinit({ c = 1 })
assert(turns:find() == "c" and turns.nodes.c == 1, "round robin keeps nodes that are gone")

local nodes, fewer = { a = 1, b = 1, c = 1 }, { a = 1, b = 1 }
local all, rest = chash:new(nodes), chash:new(fewer)
local moved, seen = 0, {}
for key = 1, 3000 do
  local before, after = all:find(tostring(key)), rest:find(tostring(key))
  assert(before == all:find(tostring(key)), "the same key does not always lead to the same node")
  seen[before] = (seen[before] or 0) + 1
  if before ~= "c" and before ~= after then
    moved = moved + 1
  end
end
assert(moved == 0, "a node that goes moves keys of those that stay")
for name in pairs(nodes) do
  assert(seen[name] > 600, "a node gets less than a fifth of the keys: " .. name)
end

local made = cookie.format({ key = "route", value = "x", path = "/", max_age = 9, secure = true, httponly = true,
  samesite = "Lax" })
assert(made == "route=x; Path=/; Max-Age=9; Secure; HttpOnly; SameSite=Lax", made)
assert(cookie.parse("a=1; route=x|y;b=2", "route") == "x|y", "a cookie among others is not found")
