-- Not in this image: the global rate limit.
-- The controller's code loads it at its start whether it is used or not; used, it says so.
return {
  new = function()
    return nil, "this image has no resty.global_throttle"
  end,
}
