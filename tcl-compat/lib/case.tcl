# `test`, `tags`, and which cases run.

set ::tags {}
set ::curfile {}
set ::cur_test {}
# How many cases ran, and failed, for start_server.
set ::num_tests 0
set ::num_failed 0

# Tells the runner something: a line of its own that begins with a byte which test files do not print.
proc report {args} {
  puts stdout "\n\u0001[string map [list \\ \\\\ \n \\n] $args]"
  flush stdout
}

# Ends the case at hand as skipped. For what the server has not, in words that a file can call.
proc skip_case {reason} { error "skip:$reason" }
proc isSkip {message} { string match skip:* $message }

# True if a case with these tags is to run; otherwise `reasonName` names a variable for the reason.
proc tags_acceptable {tags reasonName} {
  upvar 1 $reasonName reason
  if {[llength $::allowtags] > 0} {
    set isAllowed 0
    foreach tag $::allowtags {
      if {$tag in $tags} { set isAllowed 1 }
    }
    if {!$isAllowed} {
      set reason "has none of the tags asked for"
      return 0
    }
  }
  foreach tag $tags {
    if {$tag in $::denytags} {
      set reason "tag $tag"
      return 0
    }
    if {[dict exists $::absent $tag]} {
      set reason [dict get $::absent $tag]
      return 0
    }
  }
  return 1
}

# Tags can stand in quotes of their own: {"a b" c}.
proc flatTags {tags} { return [string map [list \" {}] $tags] }

proc tags {tags code} {
  set outer $::tags
  set ::tags [concat $::tags [flatTags $tags]]
  if {[tags_acceptable $::tags reason]} {
    set status [catch {uplevel 1 $code} result options]
  } else {
    report group $reason
    set status 0
  }
  set ::tags $outer
  if {$status} { return -options $options $result }
}

# True if one of the patterns is the name or, with a slash in front, a regular expression that matches it.
proc search_pattern_list {name patterns {isGlob false}} {
  foreach pattern $patterns {
    if {$pattern eq {}} continue
    if {$isGlob} {
      if {[string match $pattern $name]} { return 1 }
    } elseif {$pattern eq $name || ([string index $pattern 0] eq {/} && [regexp -- [string range $pattern 1 end] $name])} {
      return 1
    }
  }
  return 0
}

proc test {name code {expected undefined} {tags {}}} {
  if {[search_pattern_list $name $::skiptests]} {
    report skip $name "asked for"
    return
  }
  if {[llength $::only_tests] > 0 && ![search_pattern_list $name $::only_tests]} return
  if {![tags_acceptable [concat $::tags [flatTags $tags]] reason]} {
    report skip $name $reason
    return
  }
  incr ::num_tests
  set outer $::cur_test
  set ::cur_test "$name in $::curfile"
  report begin $name
  noteInLogs $::cur_test
  set startMs [clock milliseconds]
  set status [catch {uplevel 1 $code} result options]
  set elapsedMs [expr {[clock milliseconds] - $startMs}]
  set ::cur_test $outer
  # `return` in a case ends it, and is its result.
  if {$status == 0 || $status == 2} {
    if {$expected eq {undefined} || $expected eq $result || [string match $expected $result]} {
      report ok $name $elapsedMs
      return
    }
    set message "Expected '$expected', and it was '$result'"
  } elseif {[isSkip $result]} {
    report skip $name [string range $result 5 end]
    recover
    return
  } elseif {[string match assertion:* $result]} {
    set message [string range $result 10 end]
  } else {
    set message $result
    if {[dict exists $options -errorinfo]} { append message \n [dict get $options -errorinfo] }
  }
  incr ::num_failed
  set died [recover]
  report fail $name "$died$message"
}
