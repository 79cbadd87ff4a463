using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;

/// <summary>
/// Prints what an assembly refers to outside of itself, one line each: `type T` or `member T name(parameters)`, in the
/// notation of members.txt. It ends with 1 where a reference cannot be resolved.
/// </summary>
internal static class Members
{
    private const int TypeReference = 0x01000000;
    private const int MemberReference = 0x0A000000;
    private const BindingFlags Every =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static int Main(string[] arguments)
    {
        Assembly assembly = Assembly.LoadFrom(Path.GetFullPath(arguments[0]));
        Module module = assembly.ManifestModule;
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        var unresolved = new List<string>();
        Read(TypeReference, unresolved, token =>
        {
            lines.Add("type " + Name(module.ResolveType(token)));
        });
        // Types as context for members of generic types; the widest needed are two parameters.
        var context = new[] { typeof(object), typeof(object) };
        Read(MemberReference, unresolved, token =>
        {
            MemberInfo member = module.ResolveMember(token, context, context);
            Type owner = member.DeclaringType;
            // Delegates have what their type says; an array's own members are the runtime's.
            if (owner.Assembly != assembly && !owner.IsArray && !typeof(MulticastDelegate).IsAssignableFrom(owner))
            {
                lines.Add("member " + Name(owner) + " " + Signature(member));
            }
        });
        foreach (string line in lines)
        {
            Console.WriteLine(line);
        }
        foreach (string line in unresolved)
        {
            Console.Error.WriteLine(line);
        }
        return unresolved.Count == 0 ? 0 : 1;
    }

    /// <summary>Every row of a table: the token after the last one is out of range.</summary>
    private static void Read(int table, List<string> unresolved, Action<int> row)
    {
        for (int token = table + 1; ; token++)
        {
            try
            {
                row(token);
            }
            catch (ArgumentOutOfRangeException)
            {
                return;
            }
            catch (Exception e) when (e is TypeLoadException || e is MissingMemberException || e is FileNotFoundException)
            {
                unresolved.Add("0x" + token.ToString("x8") + ": " + e.Message);
            }
        }
    }

    private static string Signature(MemberInfo member)
    {
        MemberInfo open = Open(member);
        var method = open as MethodBase;
        return method == null
            ? open.Name
            : open.Name + "(" + string.Join(",", method.GetParameters().Select(one => Name(one.ParameterType))) + ")";
    }

    /// <summary>The member as its generic type declares it.</summary>
    private static MemberInfo Open(MemberInfo member)
    {
        Type owner = member.DeclaringType;
        if (owner.IsGenericType && !owner.IsGenericTypeDefinition)
        {
            owner = owner.GetGenericTypeDefinition();
            member = owner.GetMembers(Every).First(one => one.MetadataToken == member.MetadataToken);
        }
        var method = member as MethodInfo;
        return method != null && method.IsGenericMethod ? method.GetGenericMethodDefinition() : member;
    }

    private static string Name(Type type)
    {
        if (type.IsByRef)
        {
            string element = Name(type.GetElementType());
            return element == "*" ? element : element + "&";
        }
        if (type.IsPointer)
        {
            return Name(type.GetElementType()) + "*";
        }
        if (type.IsArray)
        {
            string element = Name(type.GetElementType());
            // The lists do not tell a list of a type parameter from the parameter.
            return element == "*" ? element : element + "[" + new string(',', type.GetArrayRank() - 1) + "]";
        }
        if (type.IsGenericParameter)
        {
            return "*";
        }
        if (type.IsGenericType)
        {
            type = type.GetGenericTypeDefinition();
        }
        return type.FullName.Replace('+', '.');
    }
}
