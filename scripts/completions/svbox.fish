# Completes the command lines of svbox's programs in fish: of the one that this file is called after.

# The program, an option or a word or `:` for operands, what comes behind it, and what it is for.
function __svbox_table
    echo '
@TABLE@
'
end

# __svbox_rows PROGRAM: its lines, without its name.
function __svbox_rows
    __svbox_table | string replace -rf "^$argv[1]\t" ''
end

# Where sv looks for services.
function __svbox_services
    if set -q SVDIR
        echo $SVDIR
        return
    end
    for dir in /run/svbox/service /etc/service /var/service /run/runit/service /run/it/service /service
        test -d $dir; and echo $dir; and return
    end
end

# __svbox_inside DIR: the names of directories in it.
function __svbox_inside
    for dir in $argv[1]/*/
        string replace -r '.*/([^/]+)/$' '$1' -- $dir
    end
end

# __svbox_kind PROGRAM KIND: what can be there.
function __svbox_kind
    set -l word (commandline -ct)
    set -l dir (__svbox_services)
    switch $argv[2]
        case dir
            __fish_complete_directories $word
        case file
            __fish_complete_path $word
        case user
            if string match -q '*:*' -- $word
                printf '%s\n' (string replace -r '[^:]*$' '' -- $word)(__fish_complete_groups)
            else
                __fish_complete_users
            end
        case program
            __fish_complete_command
        case name
            __svbox_table | string replace -rf '^([^\t]+)\t:\t.*' '$1' | string match -v svbox
        case command word
            __svbox_rows $argv[1] | string replace -rf '^([^-:\t]+|[a-z]+-[a-z]+)\t-\t' '$1\t'
        case time
            printf '%s\n' now +1 +5 +10 +30
        case line
            for line in /dev/tty* /dev/pts/*
                string replace -rf '^/dev/(tty|pts/)([0-9]+)$' '$1$2' -- $line
            end
        case runlevel
            set -q RUNSVDIR; and __svbox_inside $RUNSVDIR; or __svbox_inside /etc/runit/runsvdir
        case service
            if string match -qr '^[./~]' -- $word
                __fish_complete_directories $word
            else if string match -q '*/*' -- $word
                set -l name (string replace -r '/[^/]*$' '' -- $word)
                test -d "$dir/$name/log"; and echo $name/log
            else if test -n "$dir"
                __svbox_inside $dir
            end
        case place
            # Not names: paths, which are also found by a part of them.
            for path in $dir/*/
                string trim -r -c / -- $path
            end
            __fish_complete_directories $word
    end
end

# __svbox_operands PROGRAM: how many words are operands, of those before the one that is completed; and where the first is.
function __svbox_operands
    set -l rows (__svbox_rows $argv[1])
    set -l words (commandline -opc)
    set -l wanted no
    set -l at 2
    while set -q words[$at]
        set -l word $words[$at]
        if test $wanted = yes
            set wanted no
        else if test "$word" = --
            set at (math $at + 1)
            break
        else if string match -qr '^-.' -- $word
            # The last of joined letters, or a long name.
            string match -q -- '--*' $word; or set word -(string sub -s -1 -- $word)
            string match -qr "^\Q$word\E\t[^-]" -- $rows; and set wanted yes
        else
            break
        end
        set at (math $at + 1)
    end
    math (count $words) - $at + 1
    echo $at
end

function __svbox_has_no_operand
    set -l operands (__svbox_operands $argv[1])
    test $operands[1] -le 0
end

# __svbox_next PROGRAM: the operands that can come next.
function __svbox_next
    set -l program $argv[1]
    set -l kinds (__svbox_rows $program | string replace -rf '^:\t([^\t]*)\t.*' '$1' | string split ' ')
    set -l operands (__svbox_operands $program)
    set -l at 1
    set -l words (commandline -opc)
    for word in $words[$operands[2]..]
        switch "$kinds[$at]"
            case program name
                # What is behind it is a command line.
                set -l rest $words[(math $operands[2] + $at - 1)..]
                complete -C (string join ' ' -- (string escape -- $rest) (commandline -ct))
                return
            case '*...'
            case '*'
                set at (math $at + 1)
        end
    end
    set -q kinds[$at]; and __svbox_kind $program (string replace ... '' -- $kinds[$at])
end

set -l program (status basename | string replace -r '\.fish$' '')
complete -c $program -e
complete -c $program -f -a "(__svbox_next $program)"
for row in (__svbox_rows $program)
    set -l fields (string split \t -- $row)
    set -l values
    test $fields[2] = -; or set values -x -a "(__svbox_kind $program $fields[2])"
    set -l option
    switch $fields[1]
        case '--*'
            set option -l (string sub -s 3 -- $fields[1])
        case '-*'
            set option -s (string sub -s 2 -- $fields[1])
        case '*'
            continue
    end
    complete -c $program -n "__svbox_has_no_operand $program" $option $values -d "$fields[3]"
end
