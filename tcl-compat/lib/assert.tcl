# Assertions. A failed one throws `assertion:…`; `test` turns it into a failed case.

proc fail {message} { error "assertion:$message" }

# The statement of the test that asserts, for a message. `depth` counts the procedures between.
proc where {depth} {
  if {[catch {dict get [info frame -[expr {$depth + 1}]] cmd} statement]} { return {} }
  return " (in: [string range [string map {\n { }} $statement] 0 200])"
}

proc assertionFailed {message detail} {
  if {$detail ne {}} { fail "$message ($detail)" }
  fail "$message[where 2]"
}

proc assert {condition} {
  if {[uplevel 1 [list expr $condition]]} return
  if {[catch {uplevel 1 [list subst -nocommands $condition]} values]} { set values $condition }
  fail "Expected [string trim $values][where 1]"
}

proc assert_equal {value expected {detail {}}} {
  if {$value ne $expected} { assertionFailed "Expected '$value' to be equal to '$expected'" $detail }
}

proc assert_not_equal {value expected {detail {}}} {
  if {$value eq $expected} { assertionFailed "Expected '$value' not to be equal to '$expected'" $detail }
}

proc assert_match {pattern value {detail {}} {context {}}} {
  if {![string match $pattern $value]} { assertionFailed "Expected '$value' to match '$pattern'" $detail$context }
}

proc assert_no_match {pattern value} {
  if {[string match $pattern $value]} { assertionFailed "Expected '$value' not to match '$pattern'" {} }
}

proc assert_failed {message detail} { assertionFailed $message $detail }

foreach {name operator words} {
  assert_lessthan < {less than}
  assert_lessthan_equal <= {at most}
  assert_morethan > {more than}
  assert_morethan_equal >= {at least}
} {
  proc $name {value limit {detail {}}} [string map [list OPERATOR $operator WORDS $words] {
    if {!($value OPERATOR $limit)} { assertionFailed "Expected '$value' to be WORDS '$limit'" $detail }
  }]
}

proc assert_range {value least most {detail {}}} {
  if {$value < $least || $value > $most} {
    assertionFailed "Expected '$value' to be between '$least' and '$most'" $detail
  }
}

proc assert_error {pattern code {detail {}}} {
  if {[catch {uplevel 1 $code} message]} {
    if {[isSkip $message]} { error $message }
    if {![string match $pattern $message]} { assertionFailed "Expected the error '$message' to match '$pattern'" $detail }
  } else {
    assertionFailed "Expected an error like '$pattern', not the reply '$message'" $detail
  }
}

proc assert_type {type key} { assert_equal $type [r type $key] }

proc assert_encoding {encoding key} {
  if {!$::ignoreencoding} { assert_match $encoding [r object encoding $key] }
}

proc assert_refcount {count key} {
  if {!$::ignoreencoding} { assert_equal $count [r object refcount $key] }
}

proc assert_refcount_morethan {key count} {
  if {!$::ignoreencoding} { assert_morethan [r object refcount $key] $count }
}

# Evaluates `condition` up to `tries` times, `delayMs` apart; runs `otherwise` if it never holds.
proc wait_for_condition {tries delayMs condition else otherwise} {
  for {set i 0} {$i < $tries} {incr i} {
    set code [catch {uplevel 1 [list expr $condition]} holds options]
    if {$code} { return -options $options $holds }
    if {$holds} return
    after $delayMs
  }
  set code [catch {uplevel 1 $otherwise} result]
  return -code $code $result
}
