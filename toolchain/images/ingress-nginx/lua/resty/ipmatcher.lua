-- Not in this image: matching of address ranges (only the global rate limit uses it).
-- The controller's code loads it at its start whether it is used or not; used, it says so.
return {
  new = function()
    return nil, "this image has no resty.ipmatcher"
  end,
}
