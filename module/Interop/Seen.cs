using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace PersistentChatFailover.Interop
{
    /// <summary>Names that this shell's commands have handed out, for completion: it must never wait for an instance.</summary>
    public static class Seen
    {
        private const int Most = 2000;

        private static readonly string[] Kept = { "SqlInstance", "Database", "PoolFqdn", "RunId" };

        private static readonly Dictionary<string, List<string>> Names =
            new Dictionary<string, List<string>>(StringComparer.OrdinalIgnoreCase);

        /// <summary>Remembers what an object that a command wrote is about.</summary>
        internal static void Note(object written)
        {
            if (written == null)
            {
                return;
            }
            Type type = written.GetType();
            foreach (string name in Kept)
            {
                Keep(name, Value(written, type, name));
            }
            if (written is Documents.LogBackup)
            {
                Keep("Name", Value(written, type, "Name"));
            }
        }

        private static string Value(object written, Type type, string name)
        {
            PropertyInfo property = type.GetProperty(name);
            return property == null ? null : property.GetValue(written, null) as string;
        }

        private static void Keep(string name, string value)
        {
            if (string.IsNullOrEmpty(value))
            {
                return;
            }
            lock (Names)
            {
                List<string> list;
                if (!Names.TryGetValue(name, out list))
                {
                    Names[name] = list = new List<string>();
                }
                list.Remove(value);
                list.Insert(0, value);
                if (list.Count > Most)
                {
                    list.RemoveAt(Most);
                }
            }
        }

        /// <summary>The remembered names of a kind that begin so, the newest first.</summary>
        internal static List<string> Of(string kind, string begin)
        {
            lock (Names)
            {
                List<string> list;
                return Names.TryGetValue(kind, out list)
                    ? list.Where(one => one.StartsWith(begin, StringComparison.OrdinalIgnoreCase)).ToList()
                    : new List<string>();
            }
        }
    }
}
