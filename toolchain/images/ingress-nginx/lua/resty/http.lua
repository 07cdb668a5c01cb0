-- Not in this image: requests from Lua, which only OCSP stapling makes.
-- The controller's code loads it at its start whether it is used or not; used, it says so.
return {
  new = function()
    return {
      set_timeout = function() end,
      parse_uri = function()
        return nil, "this image has no resty.http"
      end,
    }
  end,
}
