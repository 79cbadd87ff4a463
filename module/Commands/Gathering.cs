using System;
using System.Collections.Generic;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// Requests by instance and database: a change takes many objects from the pipeline and acts once, after the last one.
    /// </summary>
    internal sealed class Gathering
    {
        private readonly List<Dictionary<string, object>> requests = new List<Dictionary<string, object>>();

        /// <summary>The requests in the order of their first objects.</summary>
        internal IEnumerable<Dictionary<string, object>> Requests
        {
            get { return requests; }
        }

        /// <summary>Adds a request; where there is one for its database already, only the names join.</summary>
        internal void Add(Dictionary<string, object> request)
        {
            Dictionary<string, object> known = requests.Find(r => Key(r) == Key(request));
            if (known == null)
            {
                requests.Add(request);
                return;
            }
            object names;
            if (known.TryGetValue("names", out names))
            {
                // An object without a name means all of them.
                var further = request["names"] as List<object>;
                known["names"] = names == null || further == null ? null : Joined((List<object>)names, further);
            }
        }

        private static List<object> Joined(List<object> names, List<object> further)
        {
            foreach (object name in further)
            {
                if (!names.Contains(name))
                {
                    names.Add(name);
                }
            }
            return names;
        }

        /// <summary>The instance of a request.</summary>
        internal static string Instance(Dictionary<string, object> request)
        {
            return (string)((Dictionary<string, object>)request["target"])["sql_instance"];
        }

        private static string Key(Dictionary<string, object> request)
        {
            var database = (string)((Dictionary<string, object>)request["target"])["database"];
            // The instance's name knows no case; a database's may.
            return Instance(request).ToUpperInvariant() + "|" + database;
        }
    }
}
