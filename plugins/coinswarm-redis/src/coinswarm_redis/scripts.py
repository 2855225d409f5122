"""What Redis does in one step: Lua that writes an episode together with the log position, and that gathers a few.

Keys of a space, all with its name in braces so that a cluster keeps them together: ``v`` the vector set, whose
attributes are the episodes; ``m`` a hash of what was applied; ``k`` and ``d`` sorted sets of episodes by the second at
which they are known and were decided; ``r`` the names of the sets ``s:…`` of episodes by agent, instrument, side and
regime.
"""

from __future__ import annotations

_KEYS = """
local v, m, k, d, r = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local s = string.sub(v, 1, -2) .. 's:'

-- Whole numbers as text: a number of Lua's is exact up to 2^53 only.
local function at_most(a, b)
  if #a ~= #b then return #a < #b end
  return a <= b
end
"""

_COMMON = (
    _KEYS
    + """

local function advances()
  if ARGV[1] == '' then return true end
  local seen = redis.call('HMGET', m, 'index', 'digest')
  if not seen[1] or not at_most(ARGV[1], seen[1]) then return true end
  if ARGV[1] == seen[1] and ARGV[2] ~= seen[2] then return redis.error_reply('HISTORY ' .. seen[2]) end
  return false
end

local function record()
  if ARGV[1] ~= '' then redis.call('HSET', m, 'index', ARGV[1], 'digest', ARGV[2]) end
end

local function unlist(id, attributes)
  local old = cjson.decode(attributes)
  for _, letter in ipairs({'a', 'i', 's', 'r'}) do
    redis.call('SREM', s .. letter .. string.format('%.0f', old[letter]), id)
  end
  redis.call('ZREM', k, id)
  redis.call('ZREM', d, id)
end

-- From ARGV[first]: known_ns, its seconds, the seconds of decided_ns, four names of sets.
local function list(id, first)
  local known = ARGV[first]
  redis.call('ZADD', k, ARGV[first + 1], id)
  redis.call('ZADD', d, ARGV[first + 2], id)
  for place = first + 3, first + 6 do
    redis.call('SADD', s .. ARGV[place], id)
    redis.call('SADD', r, ARGV[place])
  end
  local latest = redis.call('HGET', m, 'latest')
  if not latest or not at_most(known, latest) then redis.call('HSET', m, 'latest', known) end
end

local go = advances()
if type(go) == 'table' then return go end
"""
)

REMEMBER = (
    _COMMON
    + """
if not go then return 0 end
for first = 5, #ARGV, 10 do
  local id = ARGV[first]
  local old = redis.call('VGETATTR', v, id)
  if old then
    unlist(id, old)
    redis.call('VREM', v, id)
  else
    redis.call('HINCRBY', m, 'entries', 1)
  end
  redis.call('VADD', v, 'FP32', ARGV[first + 1], id, 'NOQUANT', 'EF', ARGV[4], 'SETATTR', ARGV[first + 2], 'M', ARGV[3])
  list(id, first + 3)
end
record()
return 1
"""
)
"""ARGV: index, digest, M, EF; for each episode its id, vector, attributes, and what ``list`` takes."""

UPDATE = (
    _COMMON
    + """
local old = redis.call('VGETATTR', v, ARGV[3])
if go then
  if old then
    unlist(ARGV[3], old)
    redis.call('VSETATTR', v, ARGV[3], ARGV[4])
    list(ARGV[3], 5)
  end
  record()
end
return {go and 1 or 0, old and 1 or 0}
"""
)
"""ARGV: index, digest, id, attributes, and what ``list`` takes. Answers whether it was applied, and was there."""

FORGET = (
    _COMMON
    + """
local old = redis.call('VGETATTR', v, ARGV[3])
if go then
  if old then
    unlist(ARGV[3], old)
    redis.call('VREM', v, ARGV[3])
    redis.call('HINCRBY', m, 'entries', -1)
  end
  record()
end
return {go and 1 or 0, old and 1 or 0}
"""
)
"""ARGV: index, digest, id. Answers whether it was applied, and was there."""

CLEAR = (
    _KEYS
    + """
for _, name in ipairs(redis.call('SMEMBERS', r)) do redis.call('UNLINK', s .. name) end
return redis.call('UNLINK', v, m, k, d, r)
"""
)

GATHER = (
    _KEYS
    + """
local few, share, known, as_of, from, before = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local total = redis.call('VCARD', v)
local seen = redis.call('HMGET', m, 'entries', 'index', 'latest')
local limit = math.max(tonumber(few), math.floor(total * tonumber(share)))
local best, how = total, nil
local single, fields = {}, 0
local place = 7
while place <= #ARGV do
  local names, size = {}, 0
  for next = place + 1, place + tonumber(ARGV[place]) do
    names[#names + 1] = s .. ARGV[next]
    size = size + redis.call('SCARD', s .. ARGV[next])
  end
  place, fields = place + 1 + #names, fields + 1
  if #names == 1 then single[#single + 1] = names[1] end
  if size <= best then best, how = size, {'SUNION', unpack(names)} end
end
local size = redis.call('ZCOUNT', k, '-inf', known)
if size < best or not how then best, how = size, {'ZRANGE', k, '-inf', known, 'BYSCORE'} end
if from ~= '' then
  local size = redis.call('ZCOUNT', d, from, before)
  if size <= best then best, how = size, {'ZRANGE', d, from, before, 'BYSCORE'} end
end
if best > limit and #single > 1 then
  local asked = {'SINTERCARD', #single, unpack(single)}
  asked[#asked + 1] = 'LIMIT'
  asked[#asked + 1] = limit + 1
  local size = redis.call(unpack(asked))
  if size <= limit then best, how = size, {'SINTER', unpack(single)} end
end
local answer = {total, seen[1] or '0', seen[2] or '', seen[3] or '', best}
if best > limit then return answer end
local all_known = not seen[3] or at_most(seen[3], as_of)
local check = not all_known or from ~= '' or fields > 1
local ids, attributes, vectors = {}, {}, {}
for _, id in ipairs(redis.call(unpack(how))) do
  local kept = redis.call('VEMB', v, id, 'RAW')
  if kept then -- else it is gone, and the numbers above do not agree
    ids[#ids + 1] = id
    vectors[#ids] = kept[2]
    if check then attributes[#ids] = redis.call('VGETATTR', v, id) end
  end
end
answer[6], answer[7], answer[8] = ids, attributes, table.concat(vectors)
return answer
"""
)
"""How many can count at most, by the smallest of what a filter asks for; and all of them, where they are few.

ARGV: few, their share, as_of in seconds and in nanoseconds, first and last second decided (empty for none); for each
field of the filter how many names of sets, and the names. Answers the number of elements and of entries, the index, the
latest known_ns, the bound, and ids, attributes (empty where all of them count) and vectors, one after the other.
"""
