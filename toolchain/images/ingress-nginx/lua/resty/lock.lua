-- A lock between nginx's workers, in a shared dictionary; it ends by itself after `exptime` seconds.
local STEP_S = 0.001

local _M = {}
_M.__index = _M

function _M.new(self, name, options)
  local dictionary = ngx.shared[name]
  if not dictionary then
    return nil, "no shared dictionary " .. name
  end
  options = options or {}
  return setmetatable({
    dictionary = dictionary,
    timeout = options.timeout or 5,
    exptime = options.exptime or 30,
  }, self)
end

function _M.lock(self, key)
  local waited = 0
  while true do
    local ok, err = self.dictionary:add(key, true, self.exptime)
    if ok then
      self.key = key
      return waited
    end
    if err ~= "exists" then
      return nil, err
    end
    if waited >= self.timeout then
      return nil, "timeout"
    end
    ngx.sleep(STEP_S)
    waited = waited + STEP_S
  end
end

function _M.unlock(self)
  if not self.key then
    return nil, "unlocked"
  end
  self.dictionary:delete(self.key)
  self.key = nil
  return 1
end

return _M
