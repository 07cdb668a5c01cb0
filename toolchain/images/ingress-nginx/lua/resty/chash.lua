-- Consistent hashing: each node owns points on a circle, a key belongs to the next point from its own place on.
-- Not the points of upstream's library: the same key may lead to another node than it does there.
local crc32 = ngx.crc32_long
local POINTS_PER_WEIGHT = 160

local _M = {}
_M.__index = _M

function _M.new(self, nodes)
  local o = setmetatable({}, self)
  o:reinit(nodes)
  return o
end

function _M.reinit(self, nodes)
  self.nodes = nodes
  self.points = {}
  for name, weight in pairs(nodes) do
    for i = 1, weight * POINTS_PER_WEIGHT do
      self.points[#self.points + 1] = { place = crc32(name .. "#" .. i), name = name }
    end
  end
  table.sort(self.points, function(a, b)
    return a.place < b.place or (a.place == b.place and a.name < b.name)
  end)
end

function _M.find(self, key)
  local place, low, high = crc32(tostring(key)), 1, #self.points
  if high == 0 then
    return nil
  end
  while low <= high do
    local middle = math.floor((low + high) / 2)
    if self.points[middle].place < place then
      low = middle + 1
    else
      high = middle - 1
    end
  end
  local point = self.points[low] or self.points[1]
  return point.name
end

return _M
