-- Reads one cookie of the request and adds one to the response.
local _M = {}
_M.__index = _M

function _M.new(self)
  return setmetatable({}, self)
end

function _M.parse(header, name)
  for pair in header:gmatch("[^;]+") do
    local key, value = pair:match("^%s*([^=]+)=(.*)$")
    if key == name then
      return value
    end
  end
  return nil
end

function _M.format(cookie)
  local parts = { cookie.key .. "=" .. cookie.value }
  local function add(name, value)
    if value then
      parts[#parts + 1] = value == true and name or name .. "=" .. value
    end
  end
  add("Expires", cookie.expires)
  add("Domain", cookie.domain)
  add("Path", cookie.path)
  add("Max-Age", cookie.max_age)
  add("Secure", cookie.secure)
  add("HttpOnly", cookie.httponly)
  add("SameSite", cookie.samesite)
  return table.concat(parts, "; ")
end

function _M.get(_, name)
  local header = ngx.var.http_cookie
  local value = header and _M.parse(header, name)
  if not value then
    return nil, "no cookie " .. name
  end
  return value
end

function _M.set(_, cookie)
  local present = ngx.header["Set-Cookie"] or {}
  if type(present) == "string" then
    present = { present }
  end
  present[#present + 1] = _M.format(cookie)
  ngx.header["Set-Cookie"] = present
  return true
end

return _M
