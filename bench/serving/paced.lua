-- As ask.lua, and each connection waits between its questions: MEAN milliseconds on average.
local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
dofile(here .. "ask.lua")

local mean = 0
local init_paths = init

function init(args)
  init_paths(args)
  mean = tonumber(args[2])
end

function delay()
  return math.random(0, 2 * mean)
end
