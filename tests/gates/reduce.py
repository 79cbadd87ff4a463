#!/usr/bin/env python3
"""reduce.py PROFILES NET45 OUT: makes members.txt, the members that every host of the module has.

PROFILES: the folder compatibility_profiles of PSScriptAnalyzer 1.19. NET45: the folder build/.NETFramework/v4.5 of
Microsoft.NETFramework.ReferenceAssemblies.net45.

System.Management.Automation: a member is kept by its name where the profiles of PowerShell 3.0, 4.0 and 5.1 all have it.
The profiles leave overloads out, so its parameters are written `?`; that they are right is seen in a real engine.
.NET: a member is kept with its parameters where the documentation beside the reference assemblies has it. The machines of
the profiles had a newer .NET Framework than 4.5, so they are no stricter.

One line a type: its name, then its members. In signatures `*` stands for a type parameter, and arguments of generic types
are left out.
"""
import glob
import json
import re
import sys
import xml.etree.ElementTree as Xml

DOCUMENTS = ["mscorlib", "System", "System.Core", "System.Xml", "System.Runtime.Serialization"]
NAMESPACES = re.compile(
    r"^(System|System\.(Collections|ComponentModel|Diagnostics|Globalization|IO|Linq|Net|Reflection|Runtime|Security|"
    r"Text|Threading|Xml)(\.\w+)*|Microsoft\.Win32(\.SafeHandles)?)$"
)
# Big families that a module without windows, graphs or code generation has no use for.
LEFT_OUT = re.compile(
    r"^System\.(ComponentModel\.\w+|Diagnostics\.(Contracts|Eventing|SymbolStore|PerformanceData|Tracing|CodeAnalysis)|"
    r"Linq\.Expressions|Net\.(Mail|Mime|PeerToPeer|Cache|WebSockets)|Reflection\.(Emit|Context)|"
    r"Runtime\.(Remoting|DesignerServices|Hosting|Caching|InteropServices\.(ComTypes|Expando|WindowsRuntime))|"
    r"Security\.(Permissions|Policy|AccessControl|Authentication|RightsManagement|Cryptography\.(Xml|X509Certificates))|"
    r"Xml\.(Schema|Xsl|XPath|Serialization)|IO\.(Log|Ports|Packaging|IsolatedStorage))(\.|$)"
)


def without_arguments(name):
    """`A.B{C,D}` as `A.B`2`, type parameters as `*`."""
    suffix = re.search(r"(@|&|\[[\],:0 ]*\]|\*)*$", name).group(0)
    base = name[: len(name) - len(suffix)]
    if base.startswith("`"):
        # The lists do not tell a list of a type parameter from the parameter.
        return "*"
    depth, count, out = 0, 1, ""
    for letter in base:
        if letter == "{":
            depth += 1
            count = count if depth > 1 else 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                out += "`%d" % count
        elif depth == 0:
            out += letter
        elif letter == "," and depth == 1:
            count += 1
    return out.replace("+", ".") + suffix.replace("@", "&")


def parameters(text):
    depth, out, part = 0, [], ""
    for letter in text:
        depth += (letter in "{[(") - (letter in "}])")
        if letter == "," and depth == 0:
            out.append(part)
            part = ""
        else:
            part += letter
    return out + [part] if part else out


def documented(folder):
    types, members = set(), {}
    for name in DOCUMENTS:
        for member in Xml.parse(f"{folder}/{name}.xml").iter("member"):
            kind, identity = member.get("name").split(":", 1)
            if kind == "T":
                types.add(identity)
                continue
            head, _, tail = identity.partition("(")
            owner, _, short = head.rpartition(".")
            arguments = tail.rpartition(")")[0]
            short = re.sub(r"``\d+$", "", short).replace("#", ".")
            listed = ",".join(without_arguments(p) for p in parameters(arguments))
            kept = members.setdefault(owner, set())
            if kind == "M":
                kept.add(f"{short}({listed})")
            elif kind == "F":
                kept.add(short)
            elif kind == "P":
                # Documentation does not tell which accessors there are; a call names the method.
                kept.update({f"get_{short}({listed})", f"set_{short}({listed + ',' if listed else ''}?)"})
            elif kind == "E":
                kept.update({f"add_{short}(?)", f"remove_{short}(?)"})
    return types, members


def profiled(path):
    """Types of the engine, each with the names of its members."""
    document = json.load(open(path, encoding="utf-8-sig"))
    types = {}

    def walk(name, about):
        kept = types.setdefault(name, set())
        # Constructors of abstract types are not public, so no profile lists them.
        kept.add(".ctor(?)")
        for part in (about.get("Instance") or {}, about.get("Static") or {}):
            kept.update(part.get("Fields") or {})
            kept.update(f"{short}(?)" for short in part.get("Methods") or {})
            for short, one in (part.get("Properties") or {}).items():
                kept.update(f"{which.lower()}_{short}(?)" for which in one["Accessors"])
            for one in part.get("Indexers") or []:
                kept.update(f"{which.lower()}_Item(?)" for which in one["Accessors"])
            for short in part.get("Events") or {}:
                kept.update({f"add_{short}(?)", f"remove_{short}(?)"})
            for short, inner in (part.get("NestedTypes") or {}).items():
                walk(f"{name}.{short}", inner)

    for space, inside in document["Runtime"]["Types"]["Assemblies"]["System.Management.Automation"]["Types"].items():
        for short, one in inside.items():
            walk(f"{space}.{short}" if space else short, one)
    return types


def main(profiles, net45, out):
    paths = sorted(glob.glob(f"{profiles}/*_framework.json"))
    assert len(paths) == 4, paths
    shells = [profiled(path) for path in paths]
    common = set.intersection(*(set(shell) for shell in shells))
    lines = [(name, set.intersection(*(shell[name] for shell in shells))) for name in common]
    types, members = documented(net45)
    for name in types | set(members):
        space = name.rpartition(".")[0]
        while space in types:
            space = space.rpartition(".")[0]
        if NAMESPACES.match(space) and not LEFT_OUT.match(space + "."):
            lines.append((name, members.get(name, set())))
    with open(out, "w", encoding="ascii", newline="\n") as file:
        for name, kept in sorted(lines):
            file.write(" ".join([name, *sorted(kept)]) + "\n")


main(*sys.argv[1:])
