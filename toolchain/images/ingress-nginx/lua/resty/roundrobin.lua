-- Takes nodes in turn, each as often as its weight says, spread as evenly as that allows.
local _M = {}
_M.__index = _M

function _M.new(self, nodes)
  local o = setmetatable({}, self)
  o:reinit(nodes)
  return o
end

function _M.reinit(self, nodes)
  self.nodes = nodes
  self.turns = {}
  self.total = 0
  for name, weight in pairs(nodes) do
    if weight > 0 then
      self.turns[#self.turns + 1] = { name = name, weight = weight, credit = 0 }
      self.total = self.total + weight
    end
  end
  -- All workers get the same list; starting at the same node they would send it bursts.
  for _ = 1, math.random(0, #self.turns) do
    self:find()
  end
end

function _M.find(self)
  local best
  for _, turn in ipairs(self.turns) do
    turn.credit = turn.credit + turn.weight
    if not best or turn.credit > best.credit then
      best = turn
    end
  end
  if not best then
    return nil
  end
  best.credit = best.credit - self.total
  return best.name
end

return _M
