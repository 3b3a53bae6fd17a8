# A Redis client in Tcl: `set c [redis HOST PORT]`, then `$c COMMAND ARGUMENT…`, which returns the reply or throws the
# error. RESP2 and RESP3 are told apart by the replies themselves.
#
# The client's own words, which are not sent:
#   deferred 0|1    do not wait for replies: `read` takes them one by one
#   blocking 0|1    0: the last argument of a command is a callback, called with the client, `reply` or `err`, and it
#   readraw 0|1     a reply is one line as it stands; `rawread N` reads bytes
#   reconnect 0|1   1: connect anew, once, when the server has closed the connection
#   read, rawread, write, flush, close, channel, attributes, readingraw
#
# Absent values (nil of either protocol) are empty strings, maps are dictionaries, sets and pushes are lists.

package require Tcl 8.6-

if {![info exists ::answersInner]} { set ::answersInner 0 }

namespace eval redis {
  variable nextId 0
  # A dictionary a client, by number: fd host port tls deferred blocking readraw reconnect callbacks attributes.
  variable clients
  array set clients {}
  # How long a reply may take. A test that waits for one that never comes fails by it, and its file goes on. What has
  # stood still itself, as a process that was stopped has, finds the time over: so a reply has a last moment more.
  variable timeoutMs 30000
  variable lastMomentMs 1000
  variable arrived
  array set arrived {}
}

proc redis {{host 127.0.0.1} {port 6379} {deferred 0} {tls 0} {tlsOptions {}} {readraw 0}} {
  set id [incr ::redis::nextId]
  set ::redis::clients($id) [dict create \
    fd [::redis::connect $host $port] host $host port $port deferred $deferred blocking 1 \
    readraw $readraw reconnect 0 callbacks {}]
  return [interp alias {} ::redis::client$id {} ::redis::call $id]
}

proc ::redis::connect {host port} {
  set fd [socket $host $port]
  fconfigure $fd -translation binary -buffering full -buffersize 65536
  return $fd
}

# Runs a word of the client, or a command of the server.
proc ::redis::call {id word args} {
  variable clients
  if {![info exists clients($id)]} { error "the client is closed" }
  if {[answersHere $id $word $args answer]} { return $answer }
  if {[info commands ::redis::words::$word] ne {}} {
    return [::redis::words::$word $id {*}$args]
  }
  set code [catch {send $id $word $args} result options]
  if {$code && [info exists clients($id)] && [dict get $clients($id) reconnect] && [dict get $clients($id) fd] eq {}} {
    set code [catch {send $id $word $args} result options]
  }
  if {$code} { return -code error $result }
  return $result
}

# CONFIG SET and GET of what only chooses the inner form of small collections, or the rhythm of Redis's housekeeping, is
# answered here: a server that has no such forms has no such settings, and files set them outside of their cases.
set ::redis::inner {
  *-max-ziplist-* *-max-listpack-* set-max-intset-entries list-compress-depth stream-node-max-* hll-sparse-max-bytes
  activerehashing hz dynamic-hz active-expire-effort lazyfree-lazy-* rdbcompression sanitize-dump-payload
}
array set ::redis::innerValues {}

proc ::redis::answersHere {id word arguments answerName} {
  upvar 1 $answerName answer
  if {![string equal -nocase $word config] || [llength $arguments] < 2 || !$::answersInner} { return 0 }
  if {[dict get $::redis::clients($id) deferred] || ![dict get $::redis::clients($id) blocking]} { return 0 }
  set pairs [lassign $arguments verb]
  set name [string tolower [lindex $pairs 0]]
  set isInner 0
  foreach pattern $::redis::inner {
    if {[string match $pattern $name]} { set isInner 1 }
  }
  if {!$isInner || [string first * $name] >= 0} { return 0 }
  if {[string equal -nocase $verb set] && [llength $pairs] == 2} {
    set ::redis::innerValues($name) [lindex $pairs 1]
    set answer OK
    return 1
  }
  if {[string equal -nocase $verb get] && [llength $pairs] == 1} {
    set answer [list $name [expr {[info exists ::redis::innerValues($name)] ? $::redis::innerValues($name) : {0}}]]
    return 1
  }
  return 0
}

proc ::redis::send {id word arguments} {
  variable clients
  set fd [openFd $id]
  set callback {}
  if {![dict get $clients($id) blocking]} {
    if {[llength $arguments] == 0} { error "Please provide a callback in non-blocking mode" }
    set callback [lindex $arguments end]
    set arguments [lrange $arguments 0 end-1]
  }
  dict unset clients($id) attributes
  if {[catch {
    puts -nonewline $fd [encode $word {*}$arguments]
    flush $fd
  }]} {
    drop $id
    error "I/O error reading reply"
  }
  if {[dict get $clients($id) deferred]} return
  if {[dict get $clients($id) blocking]} { return [readReply $id] }
  dict lappend clients($id) callbacks $callback
  fileevent $fd readable [list ::redis::callBack $id]
}

# A request as bytes. Arguments above 255 are not bytes: they are sent as UTF-8.
proc ::redis::encode {args} {
  set request "*[llength $args]\r\n"
  foreach argument $args {
    if {[regexp {[^\u0000-\u00ff]} $argument]} { set argument [encoding convertto utf-8 $argument] }
    append request "$[string length $argument]\r\n" $argument "\r\n"
  }
  return $request
}

# The channel, connected anew if the server has closed it.
proc ::redis::openFd {id} {
  variable clients
  if {[dict get $clients($id) fd] eq {}} {
    dict set clients($id) fd [connect [dict get $clients($id) host] [dict get $clients($id) port]]
  }
  return [dict get $clients($id) fd]
}

proc ::redis::drop {id} {
  variable clients
  if {![info exists clients($id)]} return
  catch {close [dict get $clients($id) fd]}
  dict set clients($id) fd {}
}

# A fresh connection under the same name, with the first settings.
proc ::redis::renew {id} {
  variable clients
  drop $id
  foreach {name value} {deferred 0 blocking 1 readraw 0 reconnect 0 callbacks {}} {
    dict set clients($id) $name $value
  }
  openFd $id
}

proc ::redis::callBack {id} {
  variable clients
  set code [catch {readReply $id} reply]
  if {![info exists clients($id)]} return
  set callbacks [dict get $clients($id) callbacks]
  dict set clients($id) callbacks [lrange $callbacks 1 end]
  set kind [expr {$code == 0 ? "reply" : "err"}]
  if {$code && [dict get $clients($id) fd] eq {}} { set kind eof }
  uplevel #0 [lindex $callbacks 0] [list ::redis::client$id $kind $reply]
}

# Waits until something can be read, so that what follows cannot block for ever on a silent server.
proc ::redis::await {fd} {
  variable arrived
  variable timeoutMs
  variable lastMomentMs
  if {[chan pending input $fd] > 0} return
  set before [fileevent $fd readable]
  set arrived($fd) {}
  fileevent $fd readable [list set ::redis::arrived($fd) data]
  foreach {waitMs outcome} [list $timeoutMs late $lastMomentMs later] {
    set timer [after $waitMs [list set ::redis::arrived($fd) $outcome]]
    vwait ::redis::arrived($fd)
    after cancel $timer
    if {$arrived($fd) eq {data}} break
  }
  set outcome $arrived($fd)
  unset -nocomplain arrived($fd)
  catch {fileevent $fd readable $before}
  if {$outcome ne {data}} { error "no reply within $timeoutMs ms" }
}

proc ::redis::readReply {id} {
  variable clients
  set fd [dict get $clients($id) fd]
  if {$fd eq {}} { error "I/O error reading reply" }
  await $fd
  if {[dict get $clients($id) readraw]} { return [string trim [gets $fd]] }
  return [readValue $id $fd]
}

proc ::redis::readValue {id fd} {
  while 1 {
    set type [read $fd 1]
    switch -exact -- $type {
      {} {
        drop $id
        error "I/O error reading reply"
      }
      + - : - ( { return [readLine $fd] }
      - { return -code error [readLine $fd] }
      $ { return [readBulk $fd] }
      = { return [string range [readBulk $fd] 4 end] }
      * - ~ - > { return [readList $id $fd] }
      % { return [readMap $id $fd] }
      | { dict set ::redis::clients($id) attributes [readMap $id $fd] }
      _ {
        gets $fd
        return {}
      }
      , {
        set text [readLine $fd]
        if {[catch {expr {double($text)}} number]} { return $text }
        return $number
      }
      # { return [expr {[readLine $fd] eq {t}}] }
      default { error "Bad protocol, '$type' as reply type byte" }
    }
  }
}

# Without the space at its ends, which Redis's own client does not show either.
proc ::redis::readLine {fd} {
  return [string trim [gets $fd]]
}

proc ::redis::readBulk {fd} {
  set size [readLine $fd]
  if {$size < 0} { return {} }
  set bytes [read $fd $size]
  read $fd 2
  return $bytes
}

# Reads all elements even if one is an error, which is thrown at the end: what follows on the connection stays in step.
proc ::redis::readList {id fd} {
  set count [readLine $fd]
  set elements {}
  set failure {}
  for {set i 0} {$i < $count} {incr i} {
    if {[catch {readValue $id $fd} element]} {
      if {$failure eq {}} { set failure $element }
    } else {
      lappend elements $element
    }
  }
  if {$failure ne {}} { return -code error $failure }
  return $elements
}

proc ::redis::readMap {id fd} {
  set count [readLine $fd]
  set map {}
  set failure {}
  for {set i 0} {$i < $count} {incr i} {
    if {[catch {
      set field [readValue $id $fd]
      dict set map $field [readValue $id $fd]
    } message] && $failure eq {}} { set failure $message }
  }
  if {$failure ne {}} { return -code error $failure }
  return $map
}

namespace eval redis::words {
  foreach flag {deferred blocking readraw reconnect} {
    proc $flag {id value} "dict set ::redis::clients(\$id) $flag \$value"
  }
  proc readingraw {id} { dict get $::redis::clients($id) readraw }
  proc attributes {id} {
    if {![dict exists $::redis::clients($id) attributes]} { error "can't read the attributes: no such element in array" }
    dict get $::redis::clients($id) attributes
  }
  proc channel {id} { dict get $::redis::clients($id) fd }
  proc read {id} { ::redis::readReply $id }
  proc write {id bytes} { puts -nonewline [::redis::openFd $id] $bytes }
  proc flush {id} { ::flush [::redis::openFd $id] }
  proc rawread {id {size -1}} {
    set fd [dict get $::redis::clients($id) fd]
    if {$size < 0} { return [::read $fd] }
    if {$size > 0} { ::redis::await $fd }
    return [::read $fd $size]
  }
  proc close {id} {
    catch {::close [dict get $::redis::clients($id) fd]}
    unset ::redis::clients($id)
    interp alias {} ::redis::client$id {}
    return 0
  }
}
# What test files call by these names.
proc ::redis::redis_bulk_read {fd} { ::redis::readBulk $fd }
proc formatCommand {args} { ::redis::encode {*}$args }
proc format_command {args} { ::redis::encode {*}$args }
