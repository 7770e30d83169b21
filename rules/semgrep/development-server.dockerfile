FROM python:3.13 AS development
# ok: prd701-development-server-in-image
CMD ["python", "manage.py", "runserver", "0.0.0.0:8000"]

FROM python:3.13
RUN pip install -r requirements.txt
# ok: prd701-development-server-in-image
CMD ["gunicorn", "shop.wsgi"]
# ok: prd701-development-server-in-image
CMD uvicorn shop:app --host 0.0.0.0
# ok: prd701-development-server-in-image
CMD ["fastapi", "run", "shop.py"]
# ok: prd701-development-server-in-image
RUN npm run dev-tools && python manage.py collectstatic
# ok: prd701-development-server-in-image
CMD ["npm", "run", "start"]
# ok: prd701-development-server-in-image
CMD ["python", "manage.py", "migrate"]
# ok: prd701-development-server-in-image
CMD ["flask", "db", "upgrade"]
# ok: prd701-development-server-in-image
# CMD ["flask", "run"]
# ok: prd701-development-server-in-image
ENTRYPOINT ["/entrypoint.sh"]
# ok: prd701-development-server-in-image
CMD ["nginx", "-g", "daemon off;"]

# ruleid: prd701-development-server-in-image
CMD ["python", "manage.py", "runserver", "0.0.0.0:8000"]
# ruleid: prd701-development-server-in-image
CMD flask run --host=0.0.0.0
# ruleid: prd701-development-server-in-image
CMD ["flask", "--app", "shop", "run"]
# ruleid: prd701-development-server-in-image
ENTRYPOINT ["uvicorn", "shop:app", "--reload"]
# ruleid: prd701-development-server-in-image
CMD python manage.py migrate && \
    python manage.py runserver
# ruleid: prd701-development-server-in-image
CMD ["pnpm", "dev"]
