-- Not in this image: DNS from Lua (services of type ExternalName, and OCSP stapling).
-- The controller's code loads it at its start whether it is used or not; used, it says so.
return {
  TYPE_A = 1,
  TYPE_CNAME = 5,
  TYPE_AAAA = 28,
  new = function()
    return nil, "this image has no resty.dns.resolver"
  end,
}
