"""What Redis does in one step: Lua that writes an episode together with the log position, and that gathers a few.

Keys of a space, all with its name in braces so that a cluster keeps them together: ``v`` the vector set, whose
attributes are the episodes, with their vectors as they were told where it keeps eight bits of each number (``Q8``);
``m`` a hash of what was applied, how many ``episodes`` there are, and how many in each of the sets ``s:…`` of episodes
by agent, instrument, side and regime; ``r`` the names of these sets once more, for when ``m`` is lost; ``k`` and ``d``
sorted sets of episodes by the second at which they are known and were decided. Redis evicts each of them for itself:
whoever asks one holds it against the numbers in ``m``.

No script answers with vectors: Lua goes through each byte of each text that it is given, and so would take as long
again as all else that it does.
"""

from __future__ import annotations

from hashlib import sha1

_KEYS = """
local v, m, k, d, r = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local s = string.sub(v, 1, -2) .. 's:'

-- Whole numbers as text: a number of Lua's is exact up to 2^53 only.
local function at_most(a, b)
  if #a ~= #b then return #a < #b end
  return a <= b
end

-- By what a set of episodes lists them; nil where a name is none of one.
local function letter(name) return string.match(name, '^([aisr])%-?%d+$') end

-- Attributes: JSON, and what comes after it, from the zero byte on.
local function parts(attributes)
  local at = string.find(attributes, '\\0', 1, true)
  if not at then return attributes, '' end
  return string.sub(attributes, 1, at - 1), string.sub(attributes, at)
end
"""

_COMMON = (
    _KEYS
    + """

-- What nobody counted is not written to: what is told of it was lost, and would seem to be there again.
local counted = redis.call('HGET', m, 'episodes') or '0'
if tonumber(counted) < redis.call('VCARD', v) then
  return redis.error_reply('LOST ' .. counted .. ' ' .. redis.call('VCARD', v))
end

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
  local old = cjson.decode((parts(attributes)))
  for _, letter in ipairs({'a', 'i', 's', 'r'}) do
    local name = letter .. string.format('%.0f', old[letter])
    redis.call('SREM', s .. name, id)
    redis.call('HINCRBY', m, name, -1)
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
    -- The first one: what stands there is left of a space that was lost.
    if redis.call('HINCRBY', m, ARGV[place], 1) == 1 then redis.call('UNLINK', s .. ARGV[place]) end
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
-- A vector set takes in only what is kept as its first element was: it says how, and these are its words for it.
local quantization, links = ARGV[5], ARGV[3]
if redis.call('EXISTS', v) == 1 then
  local told = redis.call('VINFO', v)
  local function word(place) return type(told[place]) == 'table' and told[place].ok or told[place] end
  for place = 1, #told, 2 do
    if word(place) == 'quant-type' then quantization = word(place + 1) == 'int8' and 'Q8' or 'NOQUANT' end
    if word(place) == 'hnsw-m' then links = word(place + 1) end
  end
end
redis.call('HSET', m, 'kept', quantization)
if counted == '0' then redis.call('UNLINK', k, d) end -- as above
for first = 6, #ARGV, 10 do
  local id = ARGV[first]
  local old = redis.call('VGETATTR', v, id)
  if old then
    unlist(id, old)
    redis.call('VREM', v, id)
  else
    redis.call('HINCRBY', m, 'episodes', 1)
  end
  local vector, told = ARGV[first + 1], ARGV[first + 2]
  if quantization == 'Q8' then told = told .. '\\0' .. vector end
  redis.call('VADD', v, 'FP32', vector, id, quantization, 'EF', ARGV[4], 'SETATTR', told, 'M', links)
  list(id, first + 3)
end
record()
return 1
"""
)
"""ARGV: index, digest, M, EF, quantization; for each episode its id, vector, attributes, and what ``list`` takes.

M and the quantization count where the space is new.
"""

UPDATE = (
    _COMMON
    + """
local old = redis.call('VGETATTR', v, ARGV[3])
if go then
  if old then
    unlist(ARGV[3], old)
    local _, vector = parts(old)
    redis.call('VSETATTR', v, ARGV[3], ARGV[4] .. vector)
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
    redis.call('HINCRBY', m, 'episodes', -1)
    if ARGV[1] ~= '' then redis.call('HSET', m, 'forgot', ARGV[1] .. ' ' .. ARGV[3]) end
  end
  record()
elseif not old then -- asked once more, for the answer was lost?
  old = redis.call('HGET', m, 'forgot') == ARGV[1] .. ' ' .. ARGV[3]
end
return {go and 1 or 0, old and 1 or 0}
"""
)
"""ARGV: index, digest, id. Answers whether it was applied, and was there: of the last at a position also once more."""

CLEAR = (
    _KEYS
    + """
for _, name in ipairs(redis.call('SMEMBERS', r)) do redis.call('UNLINK', s .. name) end
for _, name in ipairs(redis.call('HKEYS', m)) do
  if letter(name) then redis.call('UNLINK', s .. name) end
end
return redis.call('UNLINK', v, m, k, d, r)
"""
)

INFO = (
    _KEYS
    + """
local total, told, sums = redis.call('VCARD', v), {}, {a = 0, i = 0, s = 0, r = 0}
local whole = redis.call('ZCARD', k) == total and redis.call('ZCARD', d) == total
local pairs_told = redis.call('HGETALL', m)
for place = 1, #pairs_told, 2 do
  local name, value = pairs_told[place], pairs_told[place + 1]
  local field = letter(name)
  if field then
    sums[field] = sums[field] + tonumber(value)
    whole = whole and redis.call('SCARD', s .. name) == tonumber(value)
  else
    told[name] = value
  end
end
for _, sum in pairs(sums) do whole = whole and sum == total end
whole = whole and tonumber(told.episodes or '0') == total
local size = redis.call('MEMORY', 'USAGE', v) or 0
return {total, size, whole and told.index or '', whole and told.digest or ''}
"""
)
"""Answers the number of elements, bytes, and what was applied last: index and digest, empty where nothing was, or where
some key does not tell of as many as it should."""

RECALL = (
    _KEYS
    + """
local vector = ARGV[1]
local wanted, more, effort, as_of, every, decided, rest =
  string.match(ARGV[2], '^(%d+) (%d+) (%d+) (%d+) (%d) (%d) (.*)$')
wanted, effort, every = tonumber(wanted), tonumber(effort), every == '1'
local total = redis.call('VCARD', v)
local seen = redis.call('HMGET', m, 'episodes', 'index', 'latest', 'kept')
local coarse = seen[4] == 'Q8'
local kept = wanted + tonumber(more) -- of what is found
local answer = {total, seen[1] or '0', seen[2] or '', '', coarse and 1 or 0}
if tonumber(answer[2]) ~= total or total == 0 then return answer end
local all_known = at_most(seen[3], as_of)

-- Ids of what is similar, and where the scores are good enough each with its own.
local function similar(count, visited)
  local asked = {'VSIM', v, 'FP32', vector, 'COUNT', count, 'EF', math.max(effort, visited)}
  if not coarse then asked[#asked + 1] = 'WITHSCORES' end
  return redis.call(unpack(asked))
end

local function lost()
  answer[4] = 'lost'
  return answer
end

local function found(similar_ones)
  answer[4], answer[6], answer[7] = coarse and 'near' or 'found', similar_ones, 1
  return answer
end

if all_known and decided == '0' and #ARGV == 2 and not every then return found(similar(kept, kept)) end

local told = {}
for word in string.gmatch(rest, '%S+') do told[#told + 1] = word end
local function number(place) return tonumber(told[place]) end
local from, till, known = {told[1], told[2]}, {told[3], told[4]}, {told[5], told[6]}
local few, share, spread, spare, thorough, most = number(7), number(8), number(9), number(10), number(11), number(12)

-- Redis hands over some thousands of arguments at most.
local function by_thousands(call, list)
  for first = 1, #list, 1000 do call(unpack(list, first, math.min(#list, first + 999))) end
end

-- Ids of some sets of one field, none of which is in two of them.
local function union(names)
  local ids = {}
  by_thousands(function(...)
    for _, id in ipairs(redis.call('SUNION', ...)) do ids[#ids + 1] = id end
  end, names)
  return ids
end

-- How many can count at most, and are expected to; how to list the fewest ids that hold them all.
local bound, expected, how = total, 1, nil
local fields, single, gone = {}, {}, false -- whether a list is not as long as it should be
local place = 3
while place <= #ARGV do
  local names, size, last = {}, 0, place + tonumber(ARGV[place])
  local given = {}
  for next = place + 1, last do given[#given + 1] = ARGV[next] end
  by_thousands(function(...)
    local some = {...}
    for at, count in ipairs(redis.call('HMGET', m, ...)) do
      if count and count ~= '0' then
        local name, there = s .. some[at], tonumber(count)
        names[#names + 1], size = name, size + there
        gone = gone or redis.call('SCARD', name) ~= there
      end
    end
  end, given)
  place, fields[#fields + 1] = last + 1, names
  expected = expected * size / total
  if #names == 1 then single[#single + 1] = names[1] end
  if size <= bound then bound, how = size, function() return union(names) end end
end
local function between(key, first, last)
  gone = gone or redis.call('ZCARD', key) ~= total
  local size = redis.call('ZCOUNT', key, first, last)
  expected = expected * size / total
  if size < bound or not how then
    bound, how = size, function() return redis.call('ZRANGE', key, first, last, 'BYSCORE') end
  end
end
if not all_known then between(k, '-inf', known[1]) end
if from[1] ~= '-' then between(d, from[1], till[1]) end
if not how then between(k, '-inf', '+inf') end
if gone then return lost() end
local limit = math.max(few, math.floor(total * share))
if bound > limit and #single > 1 then
  local asked = {'SINTERCARD', #single, unpack(single)}
  asked[#asked + 1] = 'LIMIT'
  asked[#asked + 1] = limit + 1
  local size = redis.call(unpack(asked))
  if size <= limit or every then bound, how = size, function() return redis.call('SINTER', unpack(single)) end end
end

-- Whether the episode that attributes tell of is within two times, given as seconds and nanoseconds; '-' for none.
local function within(attributes, letter, first, last)
  local told = cjson.decode((parts(attributes)))
  local seconds, rest = told[letter .. 's'], told[letter .. 'n']
  local function before(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end
  local time = {seconds, rest}
  if first[1] ~= '-' and before(time, {tonumber(first[1]), tonumber(first[2])}) then return false end
  if last[1] ~= '-' and last[1] ~= '+inf' and before({tonumber(last[1]), tonumber(last[2])}, time) then return false end
  return true
end

-- Leaves of some ids those that a time admits: by its second, and by its nanosecond where that is the bound's own.
local function timed(ids, good, key, letter, first, last)
  local least, greatest = tonumber(first[1]), last[1] ~= '+inf' and tonumber(last[1]) or nil
  for place, second in ipairs(redis.call('ZMSCORE', key, unpack(ids))) do
    second = tonumber(second)
    if good[place] then
      if (least and second < least) or (greatest and second > greatest) then
        good[place] = false
      elseif second == least or second == greatest then
        good[place] = within(redis.call('VGETATTR', v, ids[place]), letter, first, last)
      end
    end
  end
end

local function admitted(ids)
  local good = {}
  for place = 1, #ids do good[place] = true end
  for _, names in ipairs(fields) do
    local any = {}
    for _, name in ipairs(names) do
      for place, is in ipairs(redis.call('SMISMEMBER', name, unpack(ids))) do
        if is == 1 then any[place] = true end
      end
    end
    for place = 1, #ids do good[place] = (good[place] and any[place]) or false end
  end
  if not all_known then timed(ids, good, k, 'k', {'-', '-'}, known) end
  if from[1] ~= '-' then timed(ids, good, d, 'd', from, till) end
  return good
end

if bound > limit and not every then
  expected = math.min(1, math.max(expected, 1 / total))
  local left = math.max(kept, wanted + spread * math.sqrt(wanted * (1 - expected)) + spare)
  local ask = math.ceil(left / expected)
  while ask <= most and ask < total / 2 do
    local similar_ones = similar(ask, math.ceil((1 + thorough * (1 - expected)) * ask))
    local ids, good = {}, {}
    local step = coarse and 1 or 2
    for place = 1, #similar_ones, step do ids[#ids + 1] = similar_ones[place] end
    for place, is in ipairs(admitted(ids)) do
      if is and #good < step * kept then
        good[#good + 1] = ids[place]
        if not coarse then good[#good + 1] = similar_ones[2 * place] end
      end
    end
    if #good >= step * wanted then return found(good) end
    ask = ask * 3
  end
  answer[4], answer[6], answer[7] = 'many', all_known and 1 or 0, bound
  return answer
end
answer[4], answer[6] = 'few', how()
answer[7] = (all_known and from[1] == '-' and #fields <= 1) and 1 or 0
return answer
"""
)
"""One recall, in the way that suits how many can count.

ARGV: the vector; one text of words, for a client takes its time over each argument: k, how many more are asked for, EF,
the time, whether each that can count is looked at (1 or 0), what the filter asks of times of decisions (see
``asked_for`` of ``coinswarm_redis.fields``), the time in seconds and nanoseconds, up to how many, or which share of
all, are gathered, how much more than k a search is asked for, and the most (see ``coinswarm_redis.backend``); for each
field of the filter how many names of sets, and these. Where all of them count, most of it is not read.

Answers the number of elements, of entries, the index, how it was searched, whether scores are not good enough (1 or
0), and for ``found`` ids and scores in turn; for ``near`` and ``few`` ids, and whether all of them count; for ``many``,
where the filter keeps away from what is asked, whether every outcome was known, and how many can count at most; for
``lost``, where lists that it needs are not whole, nothing. It has none of these words where elements and entries do not
agree, or there are none.
"""

DIGESTS = {text: sha1(text.encode()).hexdigest() for text in (REMEMBER, UPDATE, FORGET, CLEAR, INFO, RECALL)}  # noqa: S324 - Redis' own choice
"""By which a server knows the scripts."""
